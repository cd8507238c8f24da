/**
 * Applies frames to the state. Pure, so that "the client's state plus the frames it got equals a fresh fetch" can be
 * tested without a server.
 */
import type {
  Conversation,
  ConversationPatch,
  ConversationState,
  Member,
  Message,
  PresenceState,
  Receipt,
  ServerFrame,
  User,
} from '@/protocol';
import { appendMessage, EMPTY_WINDOW, fromPending, replaceMessage } from './messages';
import type { ChatState } from './state';

/** A user counts as typing this long after the last `typing` frame (protocol). */
export const TYPING_MS = 6_000;

/** The protocol's highest count: more than 999 are unread. */
export const MOST_UNREAD = 1_000;

/** Applies several frames and copies what they change once, not once for each frame. */
export function applyFrames(state: ChatState, frames: readonly ServerFrame[], now: number): ChatState {
  owned = new WeakSet();
  try {
    return frames.reduce((before, frame) => applySafely(before, frame, now), state);
  } finally {
    owned = null;
  }
}

/** A frame that does not fit the state (a faulty server) must not discard the others. */
function applySafely(state: ChatState, frame: ServerFrame, now: number): ChatState {
  try {
    return applyFrame(state, frame, now);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return state;
  }
}

export function applyFrame(state: ChatState, frame: ServerFrame, now: number): ChatState {
  switch (frame.type) {
    case 'ready':
      return {
        ...applyStates(state, frame.conversations),
        unreadNotifications: frame.unread_notifications,
        typing: {},
      };
    case 'ready.conversations':
      return applyStates(state, frame.conversations);
    case 'message.new':
      return applyNew(state, frame.message);
    case 'message.ack': {
      const pending = findPending(state, frame.client_message_id);
      if (pending === undefined || state.me === null) return dropPending(state, frame.client_message_id);
      return applyNew(state, fromPending(pending, state.me.id, frame));
    }
    case 'message.edited':
    case 'message.deleted':
    case 'message.reaction':
    case 'message.pinned':
    case 'message.changed':
      return applyChanged(state, frame.message);
    case 'receipt':
      return applyReceipt(state, frame);
    case 'conversation.reset':
      return withoutWindow(state, frame.conversation_id, frame.last_seq);
    case 'conversation.joined':
      return putConversation(state, frame.conversation);
    case 'conversation.updated':
      return patchConversation(state, frame.conversation);
    case 'conversation.left':
      return dropConversations(state, [frame.conversation_id]);
    case 'member.joined':
      return putMember(state, frame.conversation_id, frame.member, true);
    case 'member.updated':
      return putMember(state, frame.conversation_id, frame.member, false);
    case 'member.left':
      return dropMember(state, frame.conversation_id, frame.user_id);
    case 'user.updated':
      return putUser(state, frame.user);
    case 'block.updated':
      return setBlocked(state, frame.user, frame.blocked);
    case 'typing':
      return setTyping(
        state,
        frame.conversation_id,
        frame.user_id,
        frame.state === 'start' ? now + TYPING_MS : 0,
      );
    case 'presence':
      return putPresences(state, [frame]);
    case 'presence.snapshot':
      return putPresences(state, frame.items);
    default:
      // Frames about the connection, and unknown frames of a newer server: neither changes what is shown.
      return state;
  }
}

export function putConversation(state: ChatState, conversation: Conversation): ChatState {
  const known = state.conversations[conversation.id];
  const merged = known === undefined ? conversation : mergeConversation(known, conversation);
  const people =
    conversation.peer == null ? state.people : put(state.people, conversation.peer.id, conversation.peer);
  return { ...state, people, conversations: put(state.conversations, conversation.id, merged) };
}

/** Omitted fields keep their value. */
function patchConversation(state: ChatState, { me, ...patch }: ConversationPatch): ChatState {
  const known = state.conversations[patch.id];
  if (known === undefined) return state;
  const { unread_from: mark = null, ...own } = { ...known.me, ...me };
  const next: Conversation = {
    ...known,
    ...patch,
    updated_at: patch.updated_at > known.updated_at ? patch.updated_at : known.updated_at,
    me: mark === null ? own : { ...own, unread_from: mark },
  };
  return { ...state, conversations: put(state.conversations, next.id, next) };
}

/** Read positions only grow; a response created before the last frame must not lower them. */
function mergeConversation(known: Conversation, arrived: Conversation): Conversation {
  const ahead = known.rev > arrived.rev;
  const readMore = known.me.read_seq > arrived.me.read_seq;
  return {
    ...arrived,
    rev: Math.max(known.rev, arrived.rev),
    last_seq: Math.max(known.last_seq, arrived.last_seq),
    last_message: ahead ? known.last_message : arrived.last_message,
    others_delivered_seq: highest(known.others_delivered_seq, arrived.others_delivered_seq),
    others_read_seq: highest(known.others_read_seq, arrived.others_read_seq),
    me: {
      ...arrived.me,
      delivered_seq: Math.max(known.me.delivered_seq, arrived.me.delivered_seq),
      read_seq: Math.max(known.me.read_seq, arrived.me.read_seq),
      unread: readMore || ahead ? known.me.unread : arrived.me.unread,
    },
  };
}

/** Null means "not counted here" and stays. A member who joined may lower the others' position again. */
function highest(known: number | null, arrived: number | null): number | null {
  return known === null || arrived === null ? arrived : Math.max(known, arrived);
}

function applyStates(state: ChatState, lines: readonly ConversationState[]): ChatState {
  const changed: Record<string, Conversation> = {};
  for (const line of lines) {
    const known = state.conversations[line.id];
    if (known !== undefined && differs(known, line)) changed[line.id] = withState(known, line);
  }
  return { ...state, conversations: { ...state.conversations, ...changed } };
}

function differs({ me, ...known }: Conversation, line: ConversationState): boolean {
  return (
    known.rev !== line.rev ||
    known.last_seq !== line.last_seq ||
    known.others_delivered_seq !== line.others_delivered_seq ||
    known.others_read_seq !== line.others_read_seq ||
    me.delivered_seq !== line.delivered_seq ||
    me.read_seq !== line.read_seq ||
    me.unread !== line.unread
  );
}

function withState(known: Conversation, line: ConversationState): Conversation {
  const readMore = known.me.read_seq > line.read_seq;
  return {
    ...known,
    rev: line.rev,
    last_seq: line.last_seq,
    others_delivered_seq: line.others_delivered_seq,
    others_read_seq: line.others_read_seq,
    me: {
      ...known.me,
      delivered_seq: line.delivered_seq,
      // Read while offline: the own position is higher until the server receives it.
      read_seq: Math.max(known.me.read_seq, line.read_seq),
      unread: readMore
        ? Math.min(known.me.unread + Math.max(0, line.last_seq - known.last_seq), line.unread)
        : line.unread,
    },
  };
}

function applyNew(state: ChatState, message: Message): ChatState {
  const base = dropPending(state, message.client_message_id);
  const conversation = base.conversations[message.conversation_id];
  if (conversation === undefined) return base;
  const isNews = message.seq > conversation.last_seq;
  const counts =
    isNews && message.kind === 'text' && message.sender_id !== base.me?.id && message.deleted_at === null;
  const window = base.windows[message.conversation_id] ?? EMPTY_WINDOW;
  const roots = message.thread_root === null || !isNews ? window : countReply(window, message);
  const next: Conversation = {
    ...conversation,
    rev: Math.max(conversation.rev, message.rev),
    last_seq: Math.max(conversation.last_seq, message.seq),
    last_message: message.seq >= (conversation.last_message?.seq ?? 0) ? message : conversation.last_message,
    me: counts
      ? { ...conversation.me, unread: Math.min(MOST_UNREAD, conversation.me.unread + 1) }
      : conversation.me,
  };
  return setTyping(
    {
      ...base,
      conversations: put(base.conversations, next.id, next),
      windows: put(base.windows, next.id, appendMessage(roots, message)),
    },
    next.id,
    message.sender_id,
    0,
  );
}

/** A reply increases its root's count without a `rev` of its own, so clients count. */
function countReply(window: { items: Message[]; atStart: boolean; atEnd: boolean }, reply: Message) {
  const items = window.items.map((message) =>
    message.id === reply.thread_root
      ? { ...message, thread: { count: (message.thread?.count ?? 0) + 1, last_seq: reply.seq } }
      : message,
  );
  return { ...window, items };
}

function applyChanged(state: ChatState, message: Message): ChatState {
  const conversation = state.conversations[message.conversation_id];
  if (conversation === undefined) return state;
  const window = state.windows[message.conversation_id];
  const before = window?.items.find((one) => one.id === message.id);
  const vanished =
    before !== undefined &&
    before.deleted_at === null &&
    message.deleted_at !== null &&
    message.rev > before.rev &&
    message.rev > conversation.rev &&
    message.seq > conversation.me.read_seq &&
    message.kind === 'text' &&
    message.sender_id !== state.me?.id;
  const next: Conversation = {
    ...conversation,
    rev: Math.max(conversation.rev, message.rev),
    last_message:
      conversation.last_message?.id === message.id && message.rev > conversation.last_message.rev
        ? message
        : conversation.last_message,
    me: vanished ? { ...conversation.me, unread: oneLess(conversation.me.unread) } : conversation.me,
  };
  return {
    ...state,
    conversations: put(state.conversations, next.id, next),
    windows:
      window === undefined ? state.windows : put(state.windows, next.id, replaceMessage(window, message)),
  };
}

/** The highest count represents any number above it, so subtracting one changes nothing. */
function oneLess(unread: number): number {
  return unread >= MOST_UNREAD ? unread : Math.max(0, unread - 1);
}

function applyReceipt(state: ChatState, receipt: Receipt): ChatState {
  const conversation = state.conversations[receipt.conversation_id];
  if (conversation === undefined) return state;
  if (receipt.user_id === state.me?.id) {
    return markRead(state, conversation.id, receipt.read_seq, receipt.delivered_seq);
  }
  const members = state.members[conversation.id];
  const member = members?.[receipt.user_id];
  if (members === undefined || member === undefined) {
    if (conversation.kind !== 'direct') return state;
    return putOthersMarks(state, conversation, receipt.delivered_seq, receipt.read_seq);
  }
  const raised: Member = {
    ...member,
    delivered_seq: Math.max(member.delivered_seq, receipt.delivered_seq),
    read_seq: Math.max(member.read_seq, receipt.read_seq),
  };
  const all = { ...members, [receipt.user_id]: raised };
  const others = Object.values(all).filter((one) => one.user.id !== state.me?.id);
  return putOthersMarks(
    { ...state, members: { ...state.members, [conversation.id]: all } },
    conversation,
    Math.min(...others.map((one) => one.delivered_seq)),
    Math.min(...others.map((one) => one.read_seq)),
  );
}

function putOthersMarks(
  state: ChatState,
  conversation: Conversation,
  delivered: number,
  read: number,
): ChatState {
  const next = {
    ...conversation,
    others_delivered_seq: Math.max(conversation.others_delivered_seq ?? 0, delivered),
    others_read_seq: Math.max(conversation.others_read_seq ?? 0, read),
  };
  return { ...state, conversations: put(state.conversations, next.id, next) };
}

/** The user has seen everything up to `seq`, on this or another device. */
export function markRead(state: ChatState, conversationId: string, seq: number, delivered = seq): ChatState {
  const conversation = state.conversations[conversationId];
  if (conversation === undefined) return state;
  const read = Math.max(conversation.me.read_seq, Math.min(seq, conversation.last_seq));
  if (read === conversation.me.read_seq && delivered <= conversation.me.delivered_seq) return state;
  const me = {
    ...conversation.me,
    read_seq: read,
    delivered_seq: Math.max(conversation.me.delivered_seq, delivered),
    unread: countUnread(state, conversation, read),
  };
  return { ...state, conversations: put(state.conversations, conversationId, { ...conversation, me }) };
}

/** Exact when the messages are in memory; otherwise the old count is an upper bound. */
function countUnread(state: ChatState, conversation: Conversation, read: number): number {
  if (read >= conversation.last_seq) return 0;
  const items = state.windows[conversation.id]?.items ?? [];
  const first = items[0];
  if (first === undefined || first.seq > read + 1 || items.at(-1)?.seq !== conversation.last_seq) {
    return Math.min(conversation.me.unread, conversation.last_seq - read);
  }
  return items.filter(
    (one) =>
      one.seq > read && one.kind === 'text' && one.deleted_at === null && one.sender_id !== state.me?.id,
  ).length;
}

function withoutWindow(state: ChatState, conversationId: string, lastSeq: number): ChatState {
  const conversation = state.conversations[conversationId];
  if (conversation === undefined) return state;
  return {
    ...state,
    conversations: put(state.conversations, conversationId, { ...conversation, last_seq: lastSeq }),
    windows: omit(state.windows, conversationId),
  };
}

export function dropConversations(state: ChatState, ids: readonly string[]): ChatState {
  if (ids.length === 0) return state;
  const gone = new Set(ids);
  return {
    ...state,
    conversations: without(state.conversations, gone),
    windows: without(state.windows, gone),
    members: without(state.members, gone),
    typing: without(state.typing, gone),
    pending: without(state.pending, gone),
    drafts: without(state.drafts, gone),
    unreadFrom: without(state.unreadFrom, gone),
  };
}

function without<T>(record: Record<string, T>, gone: ReadonlySet<string>): Record<string, T> {
  const ids = Object.keys(record);
  if (!ids.some((id) => gone.has(id))) return record;
  return Object.fromEntries(Object.entries(record).filter(([id]) => !gone.has(id)));
}

function putMember(state: ChatState, conversationId: string, member: Member, isNew: boolean): ChatState {
  const conversation = state.conversations[conversationId];
  const members = state.members[conversationId];
  if (conversation === undefined) return state;
  const added = isNew && members?.[member.user.id] === undefined ? 1 : 0;
  const isOwn = member.user.id === state.me?.id;
  const next = {
    ...conversation,
    member_count: conversation.member_count + added,
    me: isOwn ? { ...conversation.me, role: member.role } : conversation.me,
  };
  return {
    ...state,
    people: { ...state.people, [member.user.id]: member.user },
    conversations: put(state.conversations, conversationId, next),
    members:
      members === undefined
        ? state.members
        : { ...state.members, [conversationId]: { ...members, [member.user.id]: member } },
  };
}

function dropMember(state: ChatState, conversationId: string, userId: string): ChatState {
  const conversation = state.conversations[conversationId];
  const members = state.members[conversationId];
  if (conversation === undefined) return state;
  return {
    ...state,
    conversations: {
      ...state.conversations,
      [conversationId]: { ...conversation, member_count: Math.max(0, conversation.member_count - 1) },
    },
    members:
      members === undefined ? state.members : { ...state.members, [conversationId]: omit(members, userId) },
  };
}

/** Replaces every copy of the user. */
function putUser(state: ChatState, user: User): ChatState {
  const renewed = <T extends { user: User }>(held: Record<string, T>) => {
    const one = held[user.id];
    return one === undefined ? held : { ...held, [user.id]: { ...one, user } };
  };
  const { me, conversations, blocked } = state;
  const direct = directWith(state, user.id);
  return {
    ...state,
    me: me?.id === user.id ? { ...me, ...user } : me,
    people: put(state.people, user.id, user),
    contacts: renewed(state.contacts),
    blocked: user.id in blocked ? { ...blocked, [user.id]: user } : blocked,
    members: Object.fromEntries(Object.entries(state.members).map(([id, held]) => [id, renewed(held)])),
    conversations:
      direct === undefined ? conversations : put(conversations, direct.id, { ...direct, peer: user }),
  };
}

/** Adds a user to the block list, or removes them from it. */
export function setBlocked(state: ChatState, user: User, isBlocked: boolean): ChatState {
  return {
    ...state,
    people: put(state.people, user.id, user),
    blocked: isBlocked ? { ...state.blocked, [user.id]: user } : omit(state.blocked, user.id),
  };
}

/** Returns the direct conversation with a user. */
export function directWith({ conversations }: ChatState, userId: string): Conversation | undefined {
  return Object.values(conversations).find((one) => one.peer?.id === userId);
}

function setTyping(state: ChatState, conversationId: string, userId: string, until: number): ChatState {
  const inside = state.typing[conversationId] ?? {};
  if (until === 0 && inside[userId] === undefined) return state;
  const next = until === 0 ? omit(inside, userId) : { ...inside, [userId]: until };
  return { ...state, typing: { ...state.typing, [conversationId]: next } };
}

function putPresences(state: ChatState, items: readonly PresenceState[]): ChatState {
  if (items.length === 0) return state;
  const presence = { ...state.presence };
  for (const { user_id, state: shown, last_seen, status_text } of items) {
    presence[user_id] = { user_id, state: shown, last_seen, status_text };
  }
  return { ...state, presence };
}

function findPending(state: ChatState, clientMessageId: string) {
  for (const list of Object.values(state.pending)) {
    const found = list.find((one) => one.client_message_id === clientMessageId);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function dropPending(state: ChatState, clientMessageId: string): ChatState {
  const found = findPending(state, clientMessageId);
  if (found === undefined) return state;
  const list = (state.pending[found.conversation_id] ?? []).filter((one) => one !== found);
  return { ...state, pending: { ...state.pending, [found.conversation_id]: list } };
}

/** The records that the current frames have already copied and no one else has seen. */
let owned: WeakSet<object> | null = null;

/** Sets `value` under `key` in a copy of the record, or in place when the current frames already copied it. */
function put<T>(record: Record<string, T>, key: string, value: T): Record<string, T> {
  if (owned?.has(record)) {
    record[key] = value;
    return record;
  }
  const copy = { ...record, [key]: value };
  owned?.add(copy);
  return copy;
}

export function omit<T>(record: Record<string, T>, key: string): Record<string, T> {
  if (!(key in record)) return record;
  const { [key]: _, ...rest } = record;
  return rest;
}
