import type { KeyboardEvent } from 'react';
import { useAttempt, useSession, useSettings } from '@/app/context';
import { useKeys } from '@/features/shortcuts';
import { mayDelete, mayPin } from '@/store/selectors';
import type { MessageAsk } from './MessageDialogs';
import type { MessageRowProps } from './MessageRow';

/** Keys on a focused message; single letters can be turned off (WCAG 2.1.4). */
export function useMessageKeys(
  { row, conversationId, onReply, onEdit, onUnread }: MessageRowProps,
  onAsk: (ask: MessageAsk) => void,
) {
  const [settings] = useSettings();
  const { actions, store } = useSession();
  const attempt = useAttempt();
  const keys = useKeys();
  return (event: KeyboardEvent<HTMLElement>) => {
    const { message } = row;
    if (event.target !== event.currentTarget || message === null || message.deleted_at !== null) return;
    const tool = (name: string) =>
      event.currentTarget.querySelector<HTMLButtonElement>(`[data-tool="${name}"]`);
    const command = keys.called(event, 'message');
    const single = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === 'Enter') tool('more')?.focus();
    else if (command === null || (single && !settings.singleKeys)) return;
    else if (command === 'reply') onReply(message);
    else if (command === 'edit' && row.own) onEdit(message);
    else if (command === 'react') tool('react')?.click();
    else if (command === 'copy') void navigator.clipboard?.writeText(message.text);
    else if (command === 'pin' && mayPin(store.getState(), conversationId))
      void attempt(() => actions.pin(message, !message.pinned));
    else if (command === 'unread' && !row.own) onUnread(message);
    else if (command === 'info' && row.own) onAsk('info');
    else if (command === 'delete' && mayDelete(store.getState(), message)) onAsk('delete');
    else return;
    event.preventDefault();
  };
}
