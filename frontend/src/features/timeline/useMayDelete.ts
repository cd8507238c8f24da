import { useChat } from '@/app/context';
import type { Message } from '@/protocol';

/** One's own always; those of others as admin or owner of a group or channel. */
export function useMayDelete(message: Message): boolean {
  return useChat((state) => {
    if (message.sender_id === state.me?.id) return true;
    const conversation = state.conversations[message.conversation_id];
    return conversation !== undefined && conversation.kind !== 'direct' && conversation.me.role !== 'member';
  });
}
