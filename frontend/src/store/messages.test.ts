import { describe, expect, it } from 'vitest';
import type { Message } from '@/protocol';
import { appendMessage, boundWindow, joinPage, WINDOW_MOST } from './messages';
import type { MessageWindow } from './state';

function run(first: number, last: number): Message[] {
  return Array.from(
    { length: last - first + 1 },
    (_, at) => ({ id: `id${first + at}`, seq: first + at, rev: 1 }) as Message,
  );
}

function window(first: number, last: number, change: Partial<MessageWindow> = {}): MessageWindow {
  return { items: run(first, last), atStart: false, atEnd: true, ...change };
}

function ends(one: MessageWindow): [number | undefined, number | undefined, boolean, boolean] {
  return [one.items[0]?.seq, one.items.at(-1)?.seq, one.atStart, one.atEnd];
}

describe('a window that has become long', () => {
  it('keeps the messages nearest to the visible one, and a cut end is no longer an end', () => {
    const long = window(1, 3_000, { atStart: true });
    expect(ends(boundWindow(long, 1))).toEqual([1, WINDOW_MOST, true, false]);
    expect(ends(boundWindow(long, 1_500))).toEqual([1_000, 1_999, false, false]);
    expect(ends(boundWindow(long, 3_000))).toEqual([2_001, 3_000, false, true]);
  });

  it('keeps equally many messages on both sides where possible', () => {
    for (const seen of [700, 1_500, 2_300]) {
      const { items } = boundWindow(window(1, 3_000), seen);
      expect(items).toHaveLength(WINDOW_MOST);
      expect(seen - (items[0]?.seq ?? 0)).toBeGreaterThanOrEqual(WINDOW_MOST / 2 - 1);
      expect((items.at(-1)?.seq ?? 0) - seen).toBeGreaterThanOrEqual(WINDOW_MOST / 2 - 1);
    }
  });

  it('stays the same while it is only a little too long, and for a message that it does not hold', () => {
    const little = window(1, WINDOW_MOST + 100);
    expect(boundWindow(little, 500)).toBe(little);
    const long = window(1_000, 3_000);
    expect(boundWindow(long, 999)).toBe(long);
  });

  it('reloads what was cut, page by page, without a gap', () => {
    let now = boundWindow(window(1, 1_200, { atStart: true }), 1);
    now = joinPage(now, run(1_001, 1_050));
    expect(now.items.map((one) => one.seq)).toEqual(run(1, 1_050).map((one) => one.seq));
  });

  it('does not append new messages after its end was cut', () => {
    const cut = boundWindow(window(1, 2_000), 1);
    expect(appendMessage(cut, run(2_001, 2_001)[0] as Message)).toBe(cut);
  });

  it('does not grow without limit when the conversation is not open', () => {
    let now: MessageWindow = { items: [], atStart: false, atEnd: true };
    for (const message of run(1, 5_000)) {
      now = appendMessage(now, message);
      expect(now.items.length).toBeLessThanOrEqual(WINDOW_MOST + 200);
    }
    expect(now.items.at(-1)?.seq).toBe(5_000);
    expect(now.atStart).toBe(false);
    expect(now.atEnd).toBe(true);
  });
});
