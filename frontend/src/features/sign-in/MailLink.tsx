import { type FormEvent, useEffect, useState } from 'react';
import { explain, useI18n } from '@/app/context';
import type { Accounts } from '@/session/accounts';
import { Button } from '@/ui/Button';
import { TextField } from '@/ui/TextField';
import { Frame, SignIn } from './SignIn';

export interface MailToken {
  kind: 'verify' | 'reset';
  token: string;
}

/** What a link in a mail asks for: `…verify…?token=` or `…reset…?token=`, in the path or behind the `#`. */
export function readMailLink(href: string): MailToken | null {
  const url = new URL(href);
  const inHash = url.hash.includes('?') ? new URLSearchParams(url.hash.slice(url.hash.indexOf('?'))) : null;
  const token = url.searchParams.get('token') ?? inHash?.get('token') ?? null;
  if (token === null) return null;
  const where = url.pathname + url.hash;
  if (/reset/.test(where)) return { kind: 'reset', token };
  return /verif/.test(where) ? { kind: 'verify', token } : null;
}

export function MailLink({ accounts, link }: { accounts: Accounts; link: MailToken }) {
  return link.kind === 'verify' ? (
    <Verify accounts={accounts} token={link.token} />
  ) : (
    <Reset accounts={accounts} token={link.token} />
  );
}

function Verify({ accounts, token }: { accounts: Accounts; token: string }) {
  const { t } = useI18n();
  const [outcome, setOutcome] = useState<'waiting' | 'done' | 'failed'>('waiting');
  useEffect(() => {
    accounts.open.verifyEmail(token).then(
      () => setOutcome('done'),
      () => setOutcome('failed'),
    );
  }, [accounts, token]);
  if (outcome === 'waiting') return null;
  const notice = outcome === 'done' ? t('auth.verify.done') : t('auth.verify.failed');
  return <SignIn accounts={accounts} expired={false} notice={notice} />;
}

function Reset({ accounts, token }: { accounts: Accounts; token: string }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [password, setPassword] = useState('');
  const [error, setError] = useState<string>();
  const [done, setDone] = useState(false);
  if (done) return <SignIn accounts={accounts} expired={false} notice={t('auth.reset.done')} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    accounts.open.resetPassword(token, password).then(
      () => setDone(true),
      (problem: unknown) => setError(explain(i18n, problem)),
    );
  };
  return (
    <Frame>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <h1 className="text-xl font-semibold">{t('auth.reset.title')}</h1>
        <TextField
          label={t('auth.password.new')}
          type="password"
          hint={t('auth.password.rule')}
          error={error}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          autoComplete="new-password"
          minLength={10}
          required
        />
        <Button type="submit" kind="primary">
          {t('auth.reset.save')}
        </Button>
      </form>
    </Frame>
  );
}
