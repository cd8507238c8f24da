import { type FormEvent, useState } from 'react';
import { ApiError } from '@/api/http';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { ownNameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Button } from '@/ui/Button';
import { TextArea, TextField } from '@/ui/TextField';

export function Profile() {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const me = useChat((state) => state.me);
  const [name, setName] = useState(me?.display_name ?? '');
  const [bio, setBio] = useState(me?.bio ?? '');
  const [status, setStatus] = useState(me?.status_text ?? '');
  const [saved, setSaved] = useState(false);
  const [refused, setRefused] = useState<ApiError | null>(null);
  if (me === null) return null;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setRefused(null);
    const done = await attempt(async () => {
      try {
        await actions.updateMe({ display_name: name.trim(), bio, status_text: status });
      } catch (error) {
        if (!(error instanceof ApiError) || error.errors.length === 0) throw error;
        setRefused(error);
        return;
      }
      setSaved(true);
    });
    if (!done) setSaved(false);
  };
  /** The server's text about a field continues a sentence that starts with the field's name. */
  const ofField = (field: string, label: string) => {
    const found = refused?.errors.find((one) => one.field === field);
    return found && `${label} ${found.detail}.`;
  };
  return (
    <form
      onSubmit={(event) => void save(event)}
      onChange={() => setSaved(false)}
      className="flex flex-col gap-4"
    >
      <div className="flex items-center gap-4">
        <Avatar id={me.id} name={ownNameOf(me)} url={me.avatar_url} size="large" />
        <div className="min-w-0">
          <p className="truncate font-semibold">@{me.username}</p>
          <p className="truncate text-sm text-muted">{me.email}</p>
        </div>
      </div>
      <TextField
        label={t('settings.displayName')}
        error={ofField('display_name', t('settings.displayName'))}
        value={name}
        maxLength={100}
        autoComplete="name"
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        label={t('settings.status')}
        error={ofField('status_text', t('settings.status'))}
        value={status}
        maxLength={140}
        onChange={(event) => setStatus(event.target.value)}
      />
      <TextArea
        label={t('settings.bio')}
        error={ofField('bio', t('settings.bio'))}
        value={bio}
        maxLength={500}
        onChange={setBio}
      />
      <div className="flex items-center gap-3">
        <Button type="submit" kind="primary">
          {t('settings.save')}
        </Button>
        <p role="status" className="text-sm text-muted">
          {saved ? t('settings.saved') : ''}
        </p>
      </div>
    </form>
  );
}
