/**
 * Validates data read from the device and leaves out what cannot be shown. An earlier version, a half-written profile
 * or another program may have stored anything, and invalid data would break the page at every start.
 */
import type { Contact, Conversation, Member, Message, User } from '@/protocol';
import type { PendingMessage, UnreadMark } from '@/store/state';

type Fields = Record<string, unknown>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isTime = (value: unknown) => isText(value) && !Number.isNaN(Date.parse(value));
const orNull = (check: (value: unknown) => boolean) => (value: unknown) => value == null || check(value);

function has(value: unknown, shape: Record<string, (field: unknown) => boolean>): boolean {
  return isRecord(value) && Object.entries(shape).every(([name, check]) => check(value[name]));
}

export function isUser(value: unknown): value is User {
  return has(value, { id: isText, username: isText, display_name: isText, avatar_url: orNull(isText) });
}

function isReaction(value: unknown): boolean {
  return has(value, { emoji: isText, count: isNumber, user_ids: (ids) => isListOf(ids, isText) });
}

function isListOf(value: unknown, check: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(check);
}

export function isMessage(value: unknown): value is Message {
  return has(value, {
    id: isText,
    conversation_id: isText,
    seq: isNumber,
    rev: isNumber,
    sender_id: isText,
    kind: isText,
    text: isText,
    reply_to: orNull(isText),
    mentions: (ids) => isListOf(ids, isText),
    reactions: (all) => isListOf(all, isReaction),
    created_at: isTime,
    edited_at: orNull(isTime),
    deleted_at: orNull(isTime),
  });
}

export function isConversation(value: unknown): value is Conversation {
  return has(value, {
    id: isText,
    kind: isText,
    name: orNull(isText),
    description: isText,
    member_count: isNumber,
    created_at: isTime,
    last_seq: isNumber,
    rev: isNumber,
    last_message: orNull(isMessage),
    peer: orNull(isUser),
    me: (me) =>
      has(me, {
        role: isText,
        joined_seq: isNumber,
        delivered_seq: isNumber,
        read_seq: isNumber,
        unread: isNumber,
        muted_until: orNull(isText),
        draft: isText,
      }),
  });
}

export function isPending(value: unknown): value is PendingMessage {
  return has(value, {
    client_message_id: isText,
    conversation_id: isText,
    text: isText,
    reply_to: orNull(isText),
    created_at: isTime,
    order: isNumber,
    state: isText,
  });
}

export function isMember(value: unknown): value is Member {
  return has(value, { user: isUser, role: isText, delivered_seq: isNumber, read_seq: isNumber });
}

export function isContact(value: unknown): value is Contact {
  return has(value, { user: isUser, nickname: orNull(isText) });
}

export function isUnreadMark(value: unknown): value is UnreadMark {
  return has(value, { seq: isNumber, read: isNumber, count: isNumber });
}

/** Returns the entries of an object whose values are valid; none when it is not an object. */
export function entriesOf<T>(value: unknown, check: (one: unknown) => one is T): Record<string, T> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).filter((pair): pair is [string, T] => check(pair[1])));
}
