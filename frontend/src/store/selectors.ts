/** Selectors that several parts of the interface share. */
import { nameText } from '@/lib/text';
import type { Conversation, Message, User } from '@/protocol';
import type { ChatState, PendingMessage, UnreadMark } from './state';

export type Delivery = 'sending' | 'failed' | 'sent' | 'delivered' | 'read';

interface Lists {
  conversations: ChatState['conversations'];
  pending: ChatState['pending'];
  live: Conversation[];
  archived: Conversation[];
}

/** Caches the sorted lists: sorting thousands of conversations for each unrelated frame would take too long. */
let lists: Lists | null = null;

/** Pinned first, then by last activity; either the archived conversations or the others. */
export function listConversations(state: ChatState, archived = false): Conversation[] {
  if (lists?.conversations !== state.conversations || lists.pending !== state.pending)
    lists = makeLists(state);
  return archived ? lists.archived : lists.live;
}

function makeLists({ conversations, pending }: ChatState): Lists {
  const sorted = Object.values(conversations)
    .map((one) => ({ one, pinned: Number(one.me.pinned), at: activityOf(one, pending[one.id]) }))
    .sort((a, b) => b.pinned - a.pinned || (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .map(({ one }) => one);
  return {
    conversations,
    pending,
    live: sorted.filter((one) => !one.me.archived),
    archived: sorted.filter((one) => one.me.archived),
  };
}

function activityOf(conversation: Conversation, pending: PendingMessage[] | undefined): string {
  const last = conversation.last_message?.created_at ?? conversation.created_at;
  const own = pending?.at(-1)?.created_at ?? '';
  return own > last ? own : last;
}

/** The user's own display name, without the nickname. */
export function ownNameOf(user: Pick<User, 'display_name' | 'username'>): string {
  return nameText(user.display_name || user.username);
}

export function nameOf(state: ChatState, user: User | undefined): string {
  if (user === undefined) return '…';
  const nickname = state.contacts[user.id]?.nickname;
  return nickname ? nameText(nickname) : ownNameOf(user);
}

export function titleOf(state: ChatState, conversation: Conversation): string {
  if (conversation.peer != null)
    return nameOf(state, state.people[conversation.peer.id] ?? conversation.peer);
  return nameText(conversation.name ?? '…');
}

export function deliveryOf(message: Message, conversation: Conversation | undefined): Delivery {
  if (message.seq <= (conversation?.others_read_seq ?? 0)) return 'read';
  if (message.seq <= (conversation?.others_delivered_seq ?? 0)) return 'delivered';
  return 'sent';
}

/** The mark set by "mark as unread", unless the user has read on since, on any device. */
function unreadMarkOf(state: ChatState, { id, me }: Conversation): UnreadMark | undefined {
  const mark = state.unreadFrom[id];
  return mark?.read === me.read_seq ? mark : undefined;
}

/** The server's count, plus what the user marked as unread. */
export function unreadOf(state: ChatState, conversation: Conversation): number {
  return conversation.me.unread + (unreadMarkOf(state, conversation)?.count ?? 0);
}

/** The first unread `seq`; meaningful when `unreadOf` is above 0. */
export function firstUnreadOf(state: ChatState, conversation: Conversation): number {
  const first = conversation.me.read_seq + 1;
  return Math.min(first, unreadMarkOf(state, conversation)?.seq ?? first);
}

export function unreadTotal(state: ChatState, now: number): number {
  return Object.values(state.conversations)
    .filter((one) => !one.me.archived && !isMuted(one, now))
    .reduce((sum, one) => sum + unreadOf(state, one), 0);
}

/** The user's own messages that the server has not confirmed, in all conversations. */
export function unsentTotal(state: ChatState): number {
  return Object.values(state.pending).reduce((sum, list) => sum + list.length, 0);
}

export function isMuted(conversation: Conversation, now: number): boolean {
  return conversation.me.muted_until !== null && Date.parse(conversation.me.muted_until) > now;
}

/** Own messages always; those of others as admin or owner of a group or channel. */
export function mayDelete(state: ChatState, message: Message): boolean {
  if (message.sender_id === state.me?.id) return true;
  const conversation = state.conversations[message.conversation_id];
  return conversation !== undefined && conversation.kind !== 'direct' && conversation.me.role !== 'member';
}

/** Whether a message mentions the user or replies to a message of theirs that is in memory. */
export function concerns(state: ChatState, message: Message): boolean {
  const me = state.me?.id;
  if (me === undefined) return false;
  if (message.mentions.includes(me)) return true;
  const answered = state.windows[message.conversation_id]?.items.find((one) => one.id === message.reply_to);
  return answered?.sender_id === me;
}

/** Both users in a direct conversation, admins and owners elsewhere. */
export function mayPin(state: ChatState, conversationId: string): boolean {
  const conversation = state.conversations[conversationId];
  return conversation !== undefined && (conversation.kind === 'direct' || conversation.me.role !== 'member');
}
