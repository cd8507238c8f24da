import type { KeyboardEvent } from 'react';
import { useChat, useSettings } from '@/app/context';
import type { MessageRowProps } from './MessageRow';

/** Single keys on a message that has the focus; they can be turned off (WCAG 2.1.4). */
export function useMessageKeys({ row, onReply, onEdit }: MessageRowProps) {
  const [settings] = useSettings();
  const me = useChat((state) => state.me?.id);
  return (event: KeyboardEvent<HTMLElement>) => {
    const { message } = row;
    if (event.target !== event.currentTarget || message === null || message.deleted_at !== null) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const tool = (name: string) =>
      event.currentTarget.querySelector<HTMLButtonElement>(`[data-tool="${name}"]`);
    if (event.key === 'Enter') tool('more')?.focus();
    else if (!settings.singleKeys) return;
    else if (event.key === 'r') onReply(message);
    else if (event.key === 'e' && message.sender_id === me) onEdit(message);
    else if (event.key === '+') tool('react')?.click();
    else return;
    event.preventDefault();
  };
}
