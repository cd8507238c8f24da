import { useState } from 'react';
import { useI18n, useSession } from '@/app/context';
import { explain } from '@/app/explain';
import { PeoplePicker } from '@/features/people';
import { firstCodePoints } from '@/lib/text';
import type { User } from '@/protocol';
import { ownNameOf } from '@/store/selectors';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/TextField';

export interface NewConversationProps {
  onClose: () => void;
  onStarted: (conversationId: string) => void;
}

/** One user makes a direct conversation, several users (or a name) make a group. */
export default function NewConversation({ onClose, onStarted }: NewConversationProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const { actions } = useSession();
  const [chosen, setChosen] = useState<User[]>([]);
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const isGroup = chosen.length > 1;

  const start = async () => {
    const [first] = chosen;
    if (first === undefined || busy) return;
    setBusy(true);
    setError(null);
    try {
      const id = await actions.start(
        isGroup
          ? {
              kind: 'group',
              name: name.trim() || firstCodePoints(chosen.map(ownNameOf).join(', '), 100),
              member_ids: chosen.map((one) => one.id),
            }
          : { kind: 'direct', user_id: first.id },
      );
      onStarted(id);
    } catch (problem) {
      setError(explain(i18n, problem));
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={t('new.title')}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button kind="primary" busy={busy} disabled={chosen.length === 0} onClick={() => void start()}>
            {t('new.start')}
          </Button>
        </>
      }
    >
      <PeoplePicker
        chosen={chosen}
        onChange={setChosen}
        hint={`${t('new.find.hint')} ${t('new.group.hint')}`}
        onSubmit={() => void start()}
      />
      {isGroup && (
        <TextField
          label={t('new.group')}
          value={name}
          maxLength={100}
          onChange={(event) => setName(event.target.value)}
          className="mt-2"
        />
      )}
      {error !== null && (
        <p role="alert" className="mt-3 rounded-lg bg-danger-soft px-3 py-2 text-sm text-danger">
          {error}
        </p>
      )}
    </Dialog>
  );
}
