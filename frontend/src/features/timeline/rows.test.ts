import { describe, expect, it } from 'vitest';
import type { Message } from '@/protocol';
import { fromPending } from '@/store/messages';
import type { PendingMessage } from '@/store/state';
import { buildRows, estimateHeight, type Row } from './rows';

function message(seq: number, sender: string, at: string, change: Partial<Message> = {}): Message {
  return {
    id: `id${seq}`,
    seq,
    sender_id: sender,
    client_message_id: `c${seq}`,
    kind: 'text',
    created_at: at,
    ...change,
  } as Message;
}

const NOON = '2026-11-21T12:00:00.000Z';

describe('rows', () => {
  it('groups consecutive messages of one user', () => {
    const rows = buildRows(
      [
        message(1, 'ben', NOON),
        message(2, 'ben', '2026-11-21T12:01:00.000Z'),
        message(3, 'anna', '2026-11-21T12:02:00.000Z'),
        message(4, 'ben', '2026-11-21T12:03:00.000Z'),
        message(5, 'ben', '2026-11-21T12:09:00.000Z'),
      ],
      [],
      'anna',
      null,
    );
    expect(rows.map((row) => [row.first, row.last])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
      [true, true],
    ]);
  });

  it('starts each day once', () => {
    const rows = buildRows(
      [message(1, 'ben', '2026-11-20T12:00:00.000Z'), message(2, 'ben', NOON), message(3, 'ben', NOON)],
      [],
      'anna',
      null,
    );
    expect(rows.map((row) => row.newDay)).toEqual([true, true, false]);
  });

  it('marks the first unread message of others', () => {
    const rows = buildRows(
      [
        message(1, 'ben', NOON),
        message(2, 'anna', NOON),
        message(3, 'ben', NOON, { kind: 'system' }),
        message(4, 'ben', NOON),
        message(5, 'ben', NOON),
      ],
      [],
      'anna',
      1,
    );
    expect(rows.map((row) => row.firstUnread)).toEqual([false, false, false, true, false]);
  });

  it('withholds the oldest one while an earlier one may exist, so that no row changes its height later', () => {
    const all = [1, 2, 3].map((seq) => message(seq, 'ben', NOON));
    const part = buildRows(all.slice(1), [], 'anna', null, true);
    const whole = buildRows(all, [], 'anna', null);
    expect(part).toEqual(whole.slice(2));
  });

  it('keeps the key of a message through its whole life', () => {
    const pending: PendingMessage = {
      client_message_id: 'mine',
      conversation_id: 'c',
      text: 'hi',
      reply_to: null,
      created_at: NOON,
      order: 1,
      state: 'waiting',
      error: null,
    };
    const before = buildRows([], [pending], 'anna', null)[0]?.key;
    const sent = fromPending(pending, 'anna', {
      message_id: 'server-id',
      conversation_id: 'c',
      seq: 7,
      rev: 7,
      created_at: NOON,
    });
    expect(buildRows([sent], [], 'anna', null)[0]?.key).toBe(before);
  });

  it('keep their identity while they are equal, so that only changed rows are rendered again', () => {
    const [first, second, third] = [1, 2, 3].map((seq) => message(seq, 'ben', NOON)) as [
      Message,
      Message,
      Message,
    ];
    const before = buildRows([first, second], [], 'anna', null);
    const after = buildRows([first, second, third], [], 'anna', null);
    expect(after[0]).toBe(before[0]);
    // No longer the last of its group.
    expect(after[1]).not.toBe(before[1]);
    const edited = { ...first, text: 'other' };
    expect(buildRows([edited, second, third], [], 'anna', null)[0]).not.toBe(after[0]);
  });
});

describe('the divider above new messages', () => {
  const unread = (from: number) =>
    [from, from + 1, from + 2, from + 3].map((seq) => message(seq, 'ben', NOON));
  const lines = (messages: Message[], more: boolean) =>
    buildRows(messages, [], 'anna', 10, more)
      .filter((row) => row.firstUnread)
      .map((row) => row.message?.seq);

  it('is above the first unread message', () => {
    expect(lines(unread(9), true)).toEqual([11]);
    expect(lines(unread(11), false)).toEqual([11]);
  });

  it('is not shown elsewhere when that message is not in memory', () => {
    expect(lines([message(40, 'anna', NOON), ...unread(41)], true)).toEqual([]);
  });

  it('is above the oldest message when the first unread one is not available', () => {
    expect(lines(unread(40), false)).toEqual([40]);
  });
});

describe('the estimated height of a row', () => {
  const rowOf = (text: string, change: Partial<Row> = {}): Row => {
    const [row] = buildRows([message(1, 'ben', NOON, { text })], [], 'anna', null);
    return { ...(row as Row), newDay: false, first: false, ...change };
  };

  it('is that of the text line, its bubble and the space above it', () => {
    expect(estimateHeight(rowOf('hello'), false)).toBe(36);
    expect(estimateHeight(rowOf('hello', { first: true }), false)).toBe(46);
    expect(estimateHeight(rowOf('hello'), true)).toBe(35);
    expect(estimateHeight(rowOf('hello', { first: true }), true)).toBe(40);
  });

  it('grows with lines, with wrapping, and with the day and unread dividers', () => {
    const one = estimateHeight(rowOf('hello'), false);
    expect(estimateHeight(rowOf('one\ntwo\n\nfour'), false)).toBe(one + 3 * 22);
    expect(estimateHeight(rowOf('word '.repeat(60)), false)).toBeGreaterThan(one + 2 * 22);
    expect(estimateHeight(rowOf('hello', { newDay: true, firstUnread: true }), false)).toBeGreaterThan(
      one + 60,
    );
  });
});
