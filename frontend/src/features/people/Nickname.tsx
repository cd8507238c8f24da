import { type FormEvent, useId, useState } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import type { User } from '@/protocol';
import { ownNameOf } from '@/store/selectors';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/TextField';

const MOST_CHARS = 100;

/** Edits the nickname of a contact; only this user sees it. */
export function Nickname({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useI18n();
  const { contacts } = useSession();
  const attempt = useAttempt();
  const form = useId();
  const known = useChat((state) => state.contacts[user.id]?.nickname ?? '');
  const [name, setName] = useState(known);
  const own = ownNameOf(user);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === known || (await attempt(() => contacts.rename(user.id, name)))) onClose();
  };
  return (
    <Dialog
      title={t('contact.nickname')}
      size="small"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button kind="primary" type="submit" form={form}>
            {t('details.save')}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={(event) => void save(event)}>
        <TextField
          label={t('contact.nickname.label', own)}
          hint={t('contact.nickname.text')}
          value={name}
          placeholder={own}
          maxLength={MOST_CHARS}
          autoComplete="off"
          data-autofocus
          onChange={(event) => setName(event.target.value)}
        />
      </form>
    </Dialog>
  );
}
