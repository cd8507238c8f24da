/** Pure functions for runs of messages. */
import type { Message } from '@/protocol';
import type { MessageWindow, PendingMessage } from './state';

/** Messages of one conversation that are held in memory; the others are on the device or the server. */
export const WINDOW_MOST = 1_000;
/** The overshoot before messages are dropped, so that drops are rare and large and not done with every page. */
const SLACK = 100;

export const EMPTY_WINDOW: MessageWindow = { items: [], atStart: false, atEnd: true };

/** The later version of a message wins. Equal versions keep their identity, so that nothing is rendered again. */
export function newer(known: Message | undefined, arrived: Message): Message {
  if (known === undefined) return arrived;
  if (arrived.rev > known.rev) return arrived;
  return known;
}

/** Returns the index of `seq` in a run, or -1. */
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

/** Appends a new message to a window that follows the newest message. After a gap the window starts again. */
export function appendMessage(window: MessageWindow, message: Message): MessageWindow {
  const last = window.items.at(-1);
  if (indexOfSeq(window.items, message.seq) >= 0) return replaceMessage(window, message);
  if (!window.atEnd) return window;
  if (last === undefined) return { items: [message], atStart: message.seq === 1, atEnd: true };
  if (message.seq === last.seq + 1) {
    const next = { ...window, items: [...window.items, message] };
    // For an open conversation the list itself drops messages, and sooner.
    return next.items.length > WINDOW_MOST + 2 * SLACK ? boundWindow(next, message.seq) : next;
  }
  if (message.seq < last.seq) return window;
  return { items: [message], atStart: false, atEnd: true };
}

/**
 * Joins a fetched page with what is shown. A page that touches the run extends it; any other page replaces it, because
 * a window has no gaps.
 */
export function joinPage(window: MessageWindow, page: readonly Message[]): MessageWindow {
  const first = page[0];
  const last = page.at(-1);
  if (first === undefined || last === undefined) return window;
  const head = window.items[0];
  const tail = window.items.at(-1);
  if (head === undefined || tail === undefined) return { ...window, items: [...page] };
  if (last.seq < head.seq - 1 || first.seq > tail.seq + 1) return { ...window, items: [...page] };
  // Nearly always a page adjoins the existing run, which may have thousands of messages.
  if (last.seq === head.seq - 1) return { ...window, items: [...page, ...window.items] };
  if (first.seq === tail.seq + 1) return { ...window, items: [...window.items, ...page] };
  const bySeq = new Map(window.items.map((message) => [message.seq, message]));
  for (const message of page) bySeq.set(message.seq, newer(bySeq.get(message.seq), message));
  return { ...window, items: [...bySeq.values()].sort((a, b) => a.seq - b.seq) };
}

/**
 * Returns the same run, or its `WINDOW_MOST` messages nearest to `seq` when it has become much longer than that.
 * Dropped messages are fetched again later, so a cut end is no longer `atStart` or `atEnd`.
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

/** Returns the newest part of a list that has no gap, ascending. */
export function contiguousTail(messages: readonly Message[]): Message[] {
  let start = messages.length - 1;
  while (start > 0 && messages[start - 1]?.seq === (messages[start]?.seq ?? 0) - 1) start -= 1;
  return start < 0 ? [] : messages.slice(start);
}

/** Builds the confirmed message before the server has sent it. */
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

/** Returns the messages around `seq` without a gap, from a list with gaps. Empty when `seq` itself is missing. */
export function runAround(messages: readonly Message[], seq: number): Message[] {
  const at = messages.findIndex((one) => one.seq === seq);
  if (at < 0) return [];
  let from = at;
  let to = at;
  while (messages[from - 1]?.seq === (messages[from]?.seq ?? 0) - 1) from -= 1;
  while (messages[to + 1]?.seq === (messages[to]?.seq ?? 0) + 1) to += 1;
  return messages.slice(from, to + 1);
}
