/** Builds the rows of the message list: days, groups, and the divider above new messages. Pure. */
import { dayKey } from '@/lib/time';
import type { Message } from '@/protocol';
import type { PendingMessage } from '@/store/state';
import { shownLines } from './height';

/** Messages of one user this close together form one group. */
const GROUP_MS = 5 * 60_000;

export interface Row {
  /** Never changes for one message: not at the ack, not at an edit. A list pinned to its end relies on it. */
  key: string;
  senderId: string;
  message: Message | null;
  pending: PendingMessage | null;
  createdAt: string;
  own: boolean;
  system: boolean;
  /** Starts a day. */
  newDay: boolean;
  /** The first message that was unread when the conversation was opened. */
  firstUnread: boolean;
  /** First and last of a group. */
  first: boolean;
  last: boolean;
}

/** Parsing a date is the most expensive step, and a list of thousands is rebuilt for each page. */
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

export function keyOf(senderId: string, clientMessageId: string): string {
  return `${senderId}:${clientMessageId}`;
}

/**
 * With `more` above, the oldest message is withheld: whether it starts a day or a group depends on the previous one,
 * and a row whose height changes when that one arrives would move everything below.
 */
export function buildRows(
  messages: readonly Message[],
  pending: readonly PendingMessage[],
  me: string,
  unreadAfter: number | null,
  more = false,
): Row[] {
  const sources: readonly (Message | PendingMessage)[] = [...messages, ...pending];
  const places = sources.map<Place>(() => ({ newDay: false, firstUnread: false, first: true, last: true }));
  // New messages may start above what is in memory: then the divider is shown too.
  let marked = unreadAfter === null || (more && (messages[0]?.seq ?? 0) > unreadAfter + 1);
  let day = '';
  for (const [index, source] of sources.entries()) {
    const place = places[index] as Place;
    const before = sources[index - 1];
    const today = momentOf(source.created_at).day;
    place.newDay = today !== day;
    day = today;
    if (!marked && 'seq' in source && source.seq > (unreadAfter ?? 0) && isOfOthers(source, me)) {
      place.firstUnread = true;
      marked = true;
    }
    if (before !== undefined && !place.newDay && !place.firstUnread && continues(before, source, me)) {
      (places[index - 1] as Place).last = false;
      place.first = false;
    }
  }
  const rows = sources.map((source, index) => rowOf(source, places[index] as Place, me));
  return more && messages.length > 1 ? rows.slice(1) : rows;
}

const LINE_PX = 22;

/**
 * Estimates the height of a row, in pixels, until it is rendered. Exact for most messages, which have one short line:
 * then nothing has to be corrected and rendered again.
 */
export function estimateHeight(row: Row, compact: boolean): number {
  const above = row.first ? (compact ? 6 : 12) : compact ? 1 : 2;
  const text = row.message?.text ?? row.pending?.text ?? '';
  const lines = shownLines(text) + (row.newDay ? 2 : 0) + (row.firstUnread ? 2 : 0);
  return above + lines * LINE_PX + 12;
}

/** The properties of a row that depend on its neighbours. */
type Place = Pick<Row, 'newDay' | 'firstUnread' | 'first' | 'last'>;

/** The previous row of each message: an equal row keeps its identity and is not rendered again. */
const built = new WeakMap<Message | PendingMessage, Row>();

function rowOf(source: Message | PendingMessage, place: Place, me: string): Row {
  const known = built.get(source);
  const senderId = senderOf(source, me);
  if (
    known !== undefined &&
    known.newDay === place.newDay &&
    known.firstUnread === place.firstUnread &&
    known.first === place.first &&
    known.last === place.last &&
    known.own === (senderId === me && !isSystem(source))
  )
    return known;
  const message = 'seq' in source ? source : null;
  const row: Row = {
    key: source.client_message_id ? keyOf(senderId, source.client_message_id) : (message?.id ?? ''),
    senderId,
    message,
    pending: 'seq' in source ? null : source,
    createdAt: source.created_at,
    own: senderId === me && !isSystem(source),
    system: isSystem(source),
    ...place,
  };
  built.set(source, row);
  return row;
}

function senderOf(source: Message | PendingMessage, me: string): string {
  return 'seq' in source ? source.sender_id : me;
}

function isSystem(source: Message | PendingMessage): boolean {
  return 'seq' in source && source.kind === 'system';
}

function isOfOthers(source: Message, me: string): boolean {
  return source.sender_id !== me && source.kind !== 'system';
}

function continues(before: Message | PendingMessage, source: Message | PendingMessage, me: string): boolean {
  return (
    !isSystem(before) &&
    !isSystem(source) &&
    senderOf(before, me) === senderOf(source, me) &&
    momentOf(source.created_at).at - momentOf(before.created_at).at < GROUP_MS
  );
}
