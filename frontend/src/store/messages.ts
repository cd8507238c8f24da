/** Pure rules for runs of messages. */
import type { Message } from '@/protocol';
import type { MessageWindow, PendingMessage } from './state';

/** Messages of one conversation that are held at once; the others are on the device or the server. */
export const WINDOW_MOST = 1_000;
/** Beyond that until something is let go of: seldom and much, not with every page. */
const SLACK = 100;

export const EMPTY_WINDOW: MessageWindow = { items: [], atStart: false, atEnd: true };

/** The later state of the same message wins; equal ones keep their identity, so that nothing is drawn again. */
export function newer(known: Message | undefined, arrived: Message): Message {
  if (known === undefined) return arrived;
  if (arrived.rev > known.rev) return arrived;
  return known;
}

/** Where `seq` stands in a run, or -1. */
export function indexOfSeq(items: readonly Message[], seq: number): number {
  const first = items[0];
  if (first === undefined) return -1;
  const index = seq - first.seq;
  return index >= 0 && index < items.length ? index : -1;
}

export function replaceMessage(window: MessageWindow, message: Message): MessageWindow {
  const index = indexOfSeq(window.items, message.seq);
  if (index < 0) return window;
  const known = window.items[index];
  const next = newer(known, message);
  if (next === known) return window;
  return { ...window, items: window.items.with(index, next) };
}

/** A new message at the end of a window that follows the tail; a gap makes it begin anew. */
export function appendMessage(window: MessageWindow, message: Message): MessageWindow {
  const last = window.items.at(-1);
  if (indexOfSeq(window.items, message.seq) >= 0) return replaceMessage(window, message);
  if (!window.atEnd) return window;
  if (last === undefined) return { items: [message], atStart: message.seq === 1, atEnd: true };
  if (message.seq === last.seq + 1) {
    const next = { ...window, items: [...window.items, message] };
    // Where somebody looks the list itself says what may go, and sooner.
    return next.items.length > WINDOW_MOST + 2 * SLACK ? boundWindow(next, message.seq) : next;
  }
  if (message.seq < last.seq) return window;
  return { items: [message], atStart: false, atEnd: true };
}

/**
 * A fetched page joined with what is shown. A page that touches the run extends it; one that does not replaces it,
 * because a window never has holes.
 */
export function joinPage(window: MessageWindow, page: readonly Message[]): MessageWindow {
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) return window;
  const head = window.items[0];
  const tail = window.items.at(-1);
  if (head === undefined || tail === undefined) return { ...window, items: [...page] };
  if (last.seq < head.seq - 1 || first.seq > tail.seq + 1) return { ...window, items: [...page] };
  // Nearly always a page stands beside what is there, which may be thousands.
  if (last.seq === head.seq - 1) return { ...window, items: [...page, ...window.items] };
  if (first.seq === tail.seq + 1) return { ...window, items: [...window.items, ...page] };
  const bySeq = new Map(window.items.map((message) => [message.seq, message]));
  for (const message of page) bySeq.set(message.seq, newer(bySeq.get(message.seq), message));
  return { ...window, items: [...bySeq.values()].sort((a, b) => a.seq - b.seq) };
}

/**
 * The same run, or the `WINDOW_MOST` messages of it nearest to `seq` when it has become much longer than that. What is
 * cut off is fetched again like everything that was never there: an end that was cut is no start and no end any more.
 */
export function boundWindow(window: MessageWindow, seq: number): MessageWindow {
  const { items } = window;
  const index = indexOfSeq(items, seq);
  if (index < 0 || items.length <= WINDOW_MOST + SLACK) return window;
  const from = Math.min(Math.max(0, index - WINDOW_MOST / 2), items.length - WINDOW_MOST);
  const to = from + WINDOW_MOST;
  return {
    items: items.slice(from, to),
    atStart: window.atStart && from === 0,
    atEnd: window.atEnd && to === items.length,
  };
}

/** The newest part of a list without a gap, ascending. */
export function contiguousTail(messages: readonly Message[]): Message[] {
  let start = messages.length - 1;
  while (start > 0 && messages[start - 1]?.seq === (messages[start]?.seq ?? 0) - 1) start -= 1;
  return start < 0 ? [] : messages.slice(start);
}

/** What a confirmed message looks like before the server has shown it to us. */
export function fromPending(
  pending: PendingMessage,
  senderId: string,
  ack: { message_id: string; conversation_id: string; seq: number; rev: number; created_at: string },
): Message {
  return {
    id: ack.message_id,
    conversation_id: ack.conversation_id,
    seq: ack.seq,
    rev: ack.rev,
    sender_id: senderId,
    client_message_id: pending.client_message_id,
    kind: 'text',
    text: pending.text,
    priority: 'normal',
    attachments: [],
    reply_to: pending.reply_to,
    thread_root: null,
    thread: null,
    mentions: [],
    reactions: [],
    pinned: false,
    created_at: ack.created_at,
    edited_at: null,
    deleted_at: null,
  };
}

/** The messages around `seq` without a gap, out of a list with gaps; none when `seq` itself is missing. */
export function runAround(messages: readonly Message[], seq: number): Message[] {
  const at = messages.findIndex((one) => one.seq === seq);
  if (at < 0) return [];
  let from = at;
  let to = at;
  while (messages[from - 1]?.seq === (messages[from]?.seq ?? 0) - 1) from -= 1;
  while (messages[to + 1]?.seq === (messages[to]?.seq ?? 0) + 1) to += 1;
  return messages.slice(from, to + 1);
}
