import { useEffect, useState } from 'react';
import { useChat, useI18n, useSession } from '@/app/context';
import { explain } from '@/app/explain';
import type { I18n } from '@/lib/i18n';
import { clockTime, dayLabel } from '@/lib/time';
import type { Message, MessageReceipt } from '@/protocol';
import { nameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Dialog } from '@/ui/Dialog';
import { Ticks } from '@/ui/Ticks';

const SHOWN = { queued: 'sent', delivered: 'delivered', read: 'read' } as const;
/** Users who have read it first, then those who have received it. */
const RANK = { read: 0, delivered: 1, queued: 2 };

/** Who has received a message and who has read it, with the latest possible time. */
export default function DeliveryInfo({ message, onClose }: { message: Message; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { api } = useSession();
  const [receipts, setReceipts] = useState<MessageReceipt[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const me = useChat((state) => state.me?.id);
  const marks = useChat((state) => {
    const conversation = state.conversations[message.conversation_id];
    return `${conversation?.others_read_seq} ${conversation?.others_delivered_seq}`;
  });
  // Fetched again when someone reads it while the dialog is open.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    let wanted = true;
    api.receipts(message.id).then(
      (found) => {
        if (wanted) setReceipts(found.filter((one) => one.user_id !== me));
      },
      (problem: unknown) => {
        if (wanted) setError(explain(i18n, problem));
      },
    );
    return () => {
      wanted = false;
    };
  }, [api, message.id, i18n, me, marks]);
  const ordered = [...(receipts ?? [])].sort((a, b) => RANK[a.state] - RANK[b.state]);
  return (
    <Dialog title={t('message.info')} onClose={onClose} size="small">
      {error !== null && (
        <p role="alert" className="text-danger">
          {error}
        </p>
      )}
      {receipts?.length === 0 && <p className="text-muted">{t('receipt.nobody')}</p>}
      <ul className="flex min-h-11 flex-col gap-1">
        {ordered.map((one) => (
          <ReceiptRow key={one.user_id} receipt={one} />
        ))}
      </ul>
    </Dialog>
  );
}

function ReceiptRow({ receipt }: { receipt: MessageReceipt }) {
  const i18n = useI18n();
  const { t } = i18n;
  const person = useChat((state) => state.people[receipt.user_id]);
  const name = useChat((state) => nameOf(state, person));
  const { state, at } = receipt;
  return (
    <li className="flex items-center gap-3 py-1.5">
      <Avatar id={receipt.user_id} name={name} url={person?.avatar_url ?? null} size="small" />
      <span className="min-w-0 flex-1">
        <span className="block truncate" dir="auto">
          {name}
        </span>
        <span className="block text-sm text-muted">
          {at == null
            ? t(`state.${SHOWN[state]}`)
            : t(state === 'read' ? 'receipt.read' : 'receipt.delivered', moment(i18n, at))}
        </span>
      </span>
      <span aria-hidden>
        <Ticks delivery={SHOWN[state]} className="text-muted" />
      </span>
    </li>
  );
}

/** The time, with the day unless it is today. */
function moment(i18n: I18n, iso: string): string {
  const day = dayLabel(i18n, iso);
  return day === i18n.t('time.today') ? clockTime(i18n, iso) : `${day}, ${clockTime(i18n, iso)}`;
}
