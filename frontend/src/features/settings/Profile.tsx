import { type FormEvent, useState } from 'react';
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
  if (me === null) return null;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    const done = await attempt(() =>
      actions.updateMe({ display_name: name.trim(), bio, status_text: status }),
    );
    setSaved(done);
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
        value={name}
        maxLength={100}
        autoComplete="name"
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        label={t('settings.status')}
        value={status}
        maxLength={140}
        onChange={(event) => setStatus(event.target.value)}
      />
      <TextArea label={t('settings.bio')} value={bio} maxLength={500} onChange={setBio} />
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
