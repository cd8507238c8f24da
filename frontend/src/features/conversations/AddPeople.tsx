import { useMemo, useState } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { PeoplePicker } from '@/features/people';
import type { User } from '@/protocol';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';

export function AddPeople({ conversationId, onClose }: { conversationId: string; onClose: () => void }) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const members = useChat((state) => state.members[conversationId]);
  const [chosen, setChosen] = useState<User[]>([]);
  const without = useMemo(() => new Set(Object.keys(members ?? {})), [members]);
  const add = async () => {
    for (const user of chosen) {
      if (!(await attempt(() => actions.addMember(conversationId, user.id)))) return;
    }
    onClose();
  };
  return (
    <Dialog
      title={t('details.add')}
      onClose={onClose}
      footer={
        <Button kind="primary" disabled={chosen.length === 0} onClick={() => void add()}>
          {t('details.add')}
        </Button>
      }
    >
      <PeoplePicker
        chosen={chosen}
        onChange={setChosen}
        without={without}
        hint={t('new.find.hint')}
        onSubmit={() => void add()}
      />
    </Dialog>
  );
}
