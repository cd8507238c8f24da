/** What stands where in the list of messages: days, groups, and the line above what is new. Pure. */
import { dayKey } from '@/lib/time';
import type { Message } from '@/protocol';
import type { PendingMessage } from '@/store/state';

/** Messages of one person this close together are one group. */
const GROUP_MS = 5 * 60_000;

export interface Row {
  /** Never changes for one message: not at the ack, not at an edit. A list that is pinned to its end relies on it. */
  key: string;
  senderId: string;
  message: Message | null;
  pending: PendingMessage | null;
  createdAt: string;
  own: boolean;
  system: boolean;
  /** Begins a day. */
  newDay: boolean;
  /** The first one that was not read when the conversation was opened. */
  firstUnread: boolean;
  /** First and last of a group. */
  first: boolean;
  last: boolean;
}

/** What of a row depends on more than its message. */
const FLAGS = ['own', 'newDay', 'firstUnread', 'first', 'last'] as const;

/** Reading a date costs more than everything else here, and a list of thousands is built again for each page. */
const moments = new Map<string, { at: number; day: string }>();
const MOMENTS_KEPT = 20_000;

function momentOf(iso: string): { at: number; day: string } {
  const known = moments.get(iso);
  if (known !== undefined) return known;
  if (moments.size >= MOMENTS_KEPT) moments.clear();
  const moment = { at: Date.parse(iso), day: dayKey(iso) };
  moments.set(iso, moment);
  return moment;
}

/** The row of each message as it was last built: one that says the same stays the same, and is not drawn again. */
const built = new WeakMap<Message | PendingMessage, Row>();

function unlessSame(row: Row): Row {
  const source = row.message ?? row.pending;
  if (source === null) return row;
  const before = built.get(source);
  if (before !== undefined && FLAGS.every((flag) => before[flag] === row[flag])) return before;
  built.set(source, row);
  return row;
}

export function keyOf(senderId: string, clientMessageId: string): string {
  return `${senderId}:${clientMessageId}`;
}

/**
 * With `more` above, the oldest message is kept back: whether it begins a day or a group depends on the one before
 * it, and a row that changed its height when that one arrives would move everything below.
 */
export function buildRows(
  messages: readonly Message[],
  pending: readonly PendingMessage[],
  me: string,
  unreadAfter: number | null,
  more = false,
): Row[] {
  const rows: Row[] = messages.map((message) => ({
    key: message.client_message_id ? keyOf(message.sender_id, message.client_message_id) : message.id,
    senderId: message.sender_id,
    message,
    pending: null,
    createdAt: message.created_at,
    own: message.sender_id === me && message.kind === 'text',
    system: message.kind === 'system',
    newDay: false,
    firstUnread: false,
    first: true,
    last: true,
  }));
  for (const one of pending) {
    rows.push({
      key: keyOf(me, one.client_message_id),
      senderId: me,
      message: null,
      pending: one,
      createdAt: one.created_at,
      own: true,
      system: false,
      newDay: false,
      firstUnread: false,
      first: true,
      last: true,
    });
  }
  let marked = unreadAfter === null;
  let day = '';
  for (const [index, row] of rows.entries()) {
    const before = rows[index - 1];
    const today = momentOf(row.createdAt).day;
    row.newDay = today !== day;
    day = today;
    if (!marked && row.message !== null && row.message.seq > (unreadAfter ?? 0) && !row.own && !row.system) {
      row.firstUnread = true;
      marked = true;
    }
    if (before !== undefined && !row.newDay && !row.firstUnread && continues(before, row)) {
      before.last = false;
      row.first = false;
    }
  }
  const same = rows.map(unlessSame);
  return more && messages.length > 1 ? same.slice(1) : same;
}

function continues(before: Row, row: Row): boolean {
  return (
    !before.system &&
    !row.system &&
    before.senderId === row.senderId &&
    momentOf(row.createdAt).at - momentOf(before.createdAt).at < GROUP_MS
  );
}
