/** Views of the state that several parts of the window share. */
import type { Conversation, Message, User } from '@/protocol';
import type { ChatState, PendingMessage } from './state';

export type Delivery = 'sending' | 'failed' | 'sent' | 'delivered' | 'read';

/** Pinned first, then by last activity; either the archived ones or the others. */
export function listConversations(state: ChatState, archived = false): Conversation[] {
  return Object.values(state.conversations)
    .filter((one) => one.me.archived === archived)
    .sort(
      (a, b) =>
        Number(b.me.pinned) - Number(a.me.pinned) ||
        activityOf(b, state.pending[b.id]).localeCompare(activityOf(a, state.pending[a.id])),
    );
}

function activityOf(conversation: Conversation, pending: PendingMessage[] | undefined): string {
  const last = conversation.last_message?.created_at ?? conversation.created_at;
  const own = pending?.at(-1)?.created_at ?? '';
  return own > last ? own : last;
}

export function nameOf(state: ChatState, user: User | undefined): string {
  if (user === undefined) return '…';
  return state.contacts[user.id]?.nickname || user.display_name || user.username;
}

export function titleOf(state: ChatState, conversation: Conversation): string {
  if (conversation.peer != null)
    return nameOf(state, state.people[conversation.peer.id] ?? conversation.peer);
  return conversation.name ?? '…';
}

export function deliveryOf(message: Message, conversation: Conversation | undefined): Delivery {
  if (message.seq <= (conversation?.others_read_seq ?? 0)) return 'read';
  if (message.seq <= (conversation?.others_delivered_seq ?? 0)) return 'delivered';
  return 'sent';
}

export function unreadTotal(state: ChatState, now: number): number {
  return Object.values(state.conversations)
    .filter((one) => !one.me.archived && !isMuted(one, now))
    .reduce((sum, one) => sum + one.me.unread, 0);
}

export function isMuted(conversation: Conversation, now: number): boolean {
  return conversation.me.muted_until !== null && Date.parse(conversation.me.muted_until) > now;
}
