import { lazy, Suspense } from 'react';
import { useAttempt, useI18n, useSession } from '@/app/context';
import type { Message } from '@/protocol';
import { Confirm } from '@/ui/Dialog';

const DeliveryInfo = lazy(() => import('./DeliveryInfo'));

/** The dialogs that a message's menu and its keys open. */
export type MessageAsk = 'info' | 'delete';

export function MessageDialogs({
  message,
  ask,
  onClose,
}: {
  message: Message;
  ask: MessageAsk;
  onClose: () => void;
}) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  if (ask === 'info') {
    return (
      <Suspense fallback={null}>
        <DeliveryInfo message={message} onClose={onClose} />
      </Suspense>
    );
  }
  return (
    <Confirm
      title={t('message.delete.title')}
      text={t('message.delete.text')}
      action={t('message.delete')}
      onConfirm={() => void attempt(() => actions.remove(message))}
      onClose={onClose}
    />
  );
}
