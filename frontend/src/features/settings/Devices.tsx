import { type FormEvent, useCallback, useEffect, useState } from 'react';
import { explain, useAttempt, useI18n, useSession } from '@/app/context';
import { ago } from '@/lib/time';
import type { DeviceSession } from '@/protocol';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/TextField';

/** Where the account is signed in, and its password. */
export function Devices() {
  const i18n = useI18n();
  const { t } = i18n;
  const { api } = useSession();
  const attempt = useAttempt();
  const [sessions, setSessions] = useState<DeviceSession[]>([]);
  const load = useCallback(() => {
    api.sessions().then(
      (page) => setSessions(page.items),
      () => setSessions([]),
    );
  }, [api]);
  useEffect(load, [load]);
  return (
    <div className="flex flex-col gap-6">
      <ul className="flex flex-col gap-3 empty:hidden">
        {sessions.map((one) => (
          <li key={one.id} className="flex flex-wrap items-center gap-3">
            <div className="min-w-40 flex-1">
              <p className="font-medium">{one.device_name || '?'}</p>
              <p className="text-sm text-muted">
                {one.current ? t('settings.thisDevice') : t('settings.lastUsed', ago(i18n, one.last_used_at))}
              </p>
            </div>
            {!one.current && (
              <Button
                className="min-h-9 px-3 text-sm"
                onClick={() => void attempt(() => api.endSession(one.id)).then(load)}
              >
                {t('settings.endSession')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ChangePassword />
    </div>
  );
}

function ChangePassword() {
  const i18n = useI18n();
  const { t } = i18n;
  const { api } = useSession();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [outcome, setOutcome] = useState<{ ok: boolean; text: string } | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    api.changePassword({ current_password: current, password: next }).then(
      () => {
        setCurrent('');
        setNext('');
        setOutcome({ ok: true, text: t('settings.saved') });
      },
      (problem: unknown) => setOutcome({ ok: false, text: explain(i18n, problem) }),
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <h3 className="font-semibold">{t('auth.password')}</h3>
      <TextField
        label={t('auth.password.current')}
        type="password"
        value={current}
        autoComplete="current-password"
        required
        onChange={(event) => setCurrent(event.target.value)}
      />
      <TextField
        label={t('auth.password.new')}
        type="password"
        hint={t('auth.password.rule')}
        value={next}
        minLength={10}
        autoComplete="new-password"
        required
        onChange={(event) => setNext(event.target.value)}
      />
      <div className="flex items-center gap-3">
        <Button type="submit">{t('auth.reset.save')}</Button>
        <p role="status" className={outcome?.ok === false ? 'text-sm text-danger' : 'text-sm text-muted'}>
          {outcome?.text}
        </p>
      </div>
    </form>
  );
}
