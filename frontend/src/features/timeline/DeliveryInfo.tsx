import { useEffect, useState } from 'react';
import { explain, useChat, useI18n, useSession } from '@/app/context';
import type { I18n } from '@/lib/i18n';
import { clockTime, dayLabel } from '@/lib/time';
import type { Message, MessageReceipt } from '@/protocol';
import { nameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Dialog } from '@/ui/Dialog';
import { Ticks } from '@/ui/Ticks';

/** The time of a day, and the day unless it is today. */
function moment(i18n: I18n, iso: string): string {
  const day = dayLabel(i18n, iso);
  return day === i18n.t('time.today') ? clockTime(i18n, iso) : `${day}, ${clockTime(i18n, iso)}`;
}

const SHOWN = { queued: 'sent', delivered: 'delivered', read: 'read' } as const;

/** Who has a message and who has read it. */
export default function DeliveryInfo({ message, onClose }: { message: Message; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { api } = useSession();
  const [receipts, setReceipts] = useState<MessageReceipt[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const me = useChat((state) => state.me?.id);
  const state = useChat((all) => all);
  useEffect(() => {
    api.receipts(message.id).then(setReceipts, (problem: unknown) => setError(explain(i18n, problem)));
  }, [api, message.id, i18n]);
  return (
    <Dialog title={t('message.info')} onClose={onClose} size="small">
      {error !== null && <p role="alert">{error}</p>}
      <ul className="flex flex-col gap-1">
        {receipts
          ?.filter((one) => one.user_id !== me)
          .map((one) => {
            const person = state.people[one.user_id];
            return (
              <li key={one.user_id} className="flex items-center gap-3 py-1.5">
                <Avatar
                  id={one.user_id}
                  name={nameOf(state, person)}
                  url={person?.avatar_url ?? null}
                  size="small"
                />
                <span className="flex-1 truncate" dir="auto">
                  {nameOf(state, person)}
                </span>
                <span className="text-sm text-muted" aria-hidden>
                  {one.at == null
                    ? t(`state.${SHOWN[one.state]}`)
                    : t(`receipt.${one.state === 'read' ? 'read' : 'delivered'}`, moment(i18n, one.at))}
                </span>
                <Ticks delivery={SHOWN[one.state]} className="text-muted" />
              </li>
            );
          })}
      </ul>
    </Dialog>
  );
}
