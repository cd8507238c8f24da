import { describe, expect, it } from 'vitest';
import type { Conversation, Message } from '@/protocol';
import type { PendingMessage } from '@/store/state';
import {
  entriesOf,
  isContact,
  isConversation,
  isMember,
  isMessage,
  isPending,
  isUnreadMark,
  isUser,
} from './checked';
import type { ChatDb } from './db';
import { DexieDb } from './dexie-db';
import { MemoryDb } from './memory-db';
import { ChatDexie } from './schema';

let accounts = 0;

function message(seq: number, conversation_id = 'c'): Message {
  return {
    id: `${conversation_id}-${seq}`,
    conversation_id,
    seq,
    rev: seq,
    sender_id: 'ben',
    client_message_id: `n${seq}`,
    kind: 'text',
    text: `m${seq}`,
    priority: 'normal',
    attachments: [],
    reply_to: null,
    thread_root: null,
    thread: null,
    mentions: [],
    reactions: [],
    pinned: false,
    created_at: '2026-11-21T10:00:00.000Z',
    edited_at: null,
    deleted_at: null,
  };
}

function pending(order: number): PendingMessage {
  return {
    client_message_id: `p${order}`,
    conversation_id: 'c',
    text: `p${order}`,
    reply_to: null,
    created_at: '2026-11-21T10:00:00.000Z',
    order,
    state: 'waiting',
    error: null,
  };
}

// The same contract for both implementations: memory must behave like the disk.
describe.each([
  ['IndexedDB', () => DexieDb.open(`test-${accounts++}`) as Promise<ChatDb>],
  ['memory', async () => new MemoryDb() as ChatDb],
])('the store in %s', (_, open) => {
  it('returns the newest messages in order', async () => {
    const db = await open();
    await db.write({ messages: [3, 1, 2].map((seq) => message(seq)) });
    await db.write({ messages: [message(1, 'other')] });
    expect((await db.messages('c', 2)).map((one) => one.seq)).toEqual([2, 3]);
    expect((await db.messages('c', 50)).map((one) => one.seq)).toEqual([1, 2, 3]);
  });

  it('never returns a run with a gap', async () => {
    const db = await open();
    await db.write({ messages: [1, 2, 5, 6].map((seq) => message(seq)) });
    expect((await db.messages('c', 50)).map((one) => one.seq)).toEqual([5, 6]);
    expect((await db.messages('c', 50, 3)).map((one) => one.seq)).toEqual([1, 2]);
    expect(await db.messages('c', 50, 5)).toEqual([]);
  });

  it('replaces a message that changed and finds it by its id', async () => {
    const db = await open();
    await db.write({ messages: [message(1)] });
    await db.write({ messages: [{ ...message(1), text: 'mended' }] });
    expect((await db.messageById('c-1'))?.text).toBe('mended');
  });

  it('keeps the outbox in the order of writing', async () => {
    const db = await open();
    for (const order of [3, 1, 2]) await db.putPending(pending(order));
    await db.deletePending('p2');
    expect((await db.outbox()).map((one) => one.order)).toEqual([1, 3]);
    expect((await db.snapshot()).outbox).toHaveLength(2);
  });

  it("drops its copy but never the user's own text", async () => {
    const db = await open();
    await db.write({ messages: [message(1)], conversations: [{ id: 'c' } as Conversation], known: { c: 1 } });
    await db.putDraft('c', 'unfinished');
    await db.putPending(pending(1));
    await db.dropCache();
    const { conversations, drafts, outbox } = await db.snapshot();
    expect(conversations).toEqual([]);
    expect(await db.known()).toEqual({});
    expect(drafts).toEqual({ c: 'unfinished' });
    expect(outbox).toHaveLength(1);
  });

  it('resets a conversation, or removes it', async () => {
    const db = await open();
    await db.write({
      messages: [message(1), message(2)],
      conversations: [{ id: 'c' } as Conversation],
      known: { c: 2 },
    });
    await db.write({ reset: ['c'], messages: [message(9)] });
    expect((await db.messages('c', 50)).map((one) => one.seq)).toEqual([9]);
    await db.write({ left: ['c'] });
    expect(await db.messages('c', 50)).toEqual([]);
    expect(await db.known()).toEqual({});
  });

  it('frees space and keeps the newest', async () => {
    const db = await open();
    const messages = Array.from({ length: 120 }, (_, index) => message(index + 1));
    await db.write({ messages, conversations: [{ id: 'c' } as Conversation] });
    await db.evict(50);
    expect((await db.messages('c', 200)).map((one) => one.seq)).toEqual(
      messages.slice(70).map((one) => one.seq),
    );
  });

  it('returns a range with its gaps, and the pinned messages', async () => {
    const db = await open();
    await db.write({ messages: [1, 2, 5, 6].map((seq) => ({ ...message(seq), pinned: seq === 5 })) });
    await db.write({ messages: [{ ...message(2, 'other'), pinned: true }] });
    expect((await db.range('c', 2, 5)).map((one) => one.seq)).toEqual([2, 5]);
    expect((await db.pinned('c')).map((one) => one.seq)).toEqual([5]);
  });

  it('finds messages of all conversations by word prefixes, newest first', async () => {
    const db = await open();
    const said = (seq: number, room: string, text: string, minute: number, extra: Partial<Message> = {}) =>
      ({
        ...message(seq, room),
        kind: 'text',
        text,
        deleted_at: null,
        created_at: `2026-11-21T10:0${minute}:00.000Z`,
        ...extra,
      }) as Message;
    await db.write({
      conversations: [{ id: 'c' }, { id: 'd' }] as Conversation[],
      messages: [
        said(1, 'c', 'The café (near the river) opens', 1),
        said(1, 'd', 'CAFE tomorrow?', 3),
        said(2, 'c', 'decaf, please', 2),
        said(3, 'c', 'the cafe is gone', 4, { deleted_at: '2026-11-21T10:05:00.000Z' }),
        said(2, 'd', 'somebody opened the café', 5, { kind: 'system' }),
      ],
    });
    const found = async (query: string, limit = 10) =>
      (await db.search(query, limit)).map((one) => `${one.conversation_id}${one.seq}`);
    expect(await found('cafe')).toEqual(['d1', 'c1']);
    expect(await found('cafe', 1)).toEqual(['d1']);
    expect(await found('river caf')).toEqual(['c1']);
    expect(await found('iver')).toEqual([]);
  });

  it('stores settings and removes an empty draft', async () => {
    const db = await open();
    await db.putMeta('epoch', 'e');
    await db.putDraft('c', 'text');
    await db.putDraft('c', '');
    expect(await db.getMeta('epoch')).toBe('e');
    expect((await db.snapshot()).drafts).toEqual({});
  });
});

it('keeps everything after a reload', async () => {
  const name = `test-${accounts++}`;
  const before = await DexieDb.open(name);
  await before.write({ messages: [message(1)], known: { c: 1 } });
  await before.putPending(pending(1));
  before.close();
  const after = await DexieDb.open(name);
  expect(await after.messages('c', 50)).toHaveLength(1);
  expect(await after.outbox()).toHaveLength(1);
  expect(await after.known()).toEqual({ c: 1 });
});

describe('a device with arbitrary stored data', () => {
  const NOT_WHAT_IT_SHOULD_BE: unknown[] = [null, 7, 'text', [], {}, { id: 'c', me: null }, { user: 1 }];

  it('returns only valid data', async () => {
    const name = `test-${accounts++}`;
    const db = await DexieDb.open(name);
    const raw = new ChatDexie(name);
    await raw.conversations.put({ id: 'c', name: 5 } as never);
    await raw.people.put({ id: 'p', username: {} } as never);
    await raw.outbox.put({ client_message_id: 'x', conversation_id: 'c', text: null } as never);
    await raw.drafts.put({ conversation_id: 'c', text: 9 } as never);
    await raw.known.put({ conversation_id: 'c', rev: 'high' } as never);
    await raw.members.put({ conversation_id: 'c', members: [{ user: null }] } as never);
    await raw.messages.bulkPut([
      { ...message(1), reactions: null },
      { ...message(2), created_at: 'yesterday' },
      { ...message(3), text: { toString: 1 } },
      message(4),
    ] as never[]);
    raw.close();
    expect(await db.snapshot()).toEqual({ conversations: [], people: [], outbox: [], drafts: {} });
    expect(await db.outbox()).toEqual([]);
    expect(await db.known()).toEqual({});
    expect(await db.members('c')).toEqual([]);
    expect((await db.messages('c', 50)).map((one) => one.seq)).toEqual([4]);
    expect((await db.range('c', 0, 9)).map((one) => one.seq)).toEqual([4]);
    expect(await db.messageById('c-3')).toBeUndefined();
  });

  it.each(NOT_WHAT_IT_SHOULD_BE)('validates any stored value: %j', (value) => {
    const checks = [isConversation, isMessage, isUser, isPending, isMember, isContact, isUnreadMark];
    for (const check of checks as ((one: unknown) => one is object)[]) {
      expect(check(value)).toBe(false);
      expect(entriesOf({ a: value }, check)).toEqual({});
      expect(Object.values(entriesOf(value, check))).toEqual([]);
    }
  });
});
