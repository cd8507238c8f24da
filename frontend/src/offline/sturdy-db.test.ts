import { beforeEach, describe, expect, it } from 'vitest';
import type { PendingMessage } from '@/store/state';
import { MemoryDb } from './memory-db';
import { SturdyDb } from './sturdy-db';

/** A disk that can be full. */
class Disk extends MemoryDb {
  full = false;
  /** Freeing space succeeds. */
  giving = false;
  evicted = 0;

  #check(): void {
    if (this.full) throw new DOMException('no room', 'QuotaExceededError');
  }

  override async evict(perConversation: number): Promise<void> {
    this.evicted = perConversation;
    if (this.giving) this.full = false;
  }

  override async putDraft(conversationId: string, text: string): Promise<void> {
    this.#check();
    await super.putDraft(conversationId, text);
  }

  override async putPending(record: PendingMessage): Promise<void> {
    this.#check();
    await super.putPending(record);
  }

  override async putMeta(key: string, value: unknown): Promise<void> {
    this.#check();
    await super.putMeta(key, value);
  }
}

function pending(id: string, order: number, text = id): PendingMessage {
  return {
    client_message_id: id,
    conversation_id: 'room',
    text,
    reply_to: null,
    created_at: '2026-11-21T10:00:00.000Z',
    order,
    state: 'waiting',
    error: null,
  };
}

let disk: Disk;
let db: SturdyDb;
let told: number;

beforeEach(() => {
  disk = new Disk();
  db = new SturdyDb(disk);
  told = 0;
  db.troubles.on(() => {
    told += 1;
  });
});

describe('a full disk', () => {
  it('frees space first, and reports nothing when that was enough', async () => {
    disk.full = true;
    disk.giving = true;
    await db.putPending(pending('a', 1));
    expect(disk.evicted).toBe(50);
    expect(await disk.outbox()).toHaveLength(1);
    expect(await db.outbox()).toHaveLength(1);
    expect(told).toBe(0);
  });

  it('keeps waiting messages in order, together with those on disk', async () => {
    await db.putPending(pending('a', 1));
    disk.full = true;
    await db.putPending(pending('b', 2));
    expect((await db.outbox()).map((one) => one.client_message_id)).toEqual(['a', 'b']);
    expect((await db.snapshot()).outbox).toHaveLength(2);
    expect(told).toBe(1);
    await db.deletePending('b');
    await db.deletePending('a');
    expect(await db.outbox()).toEqual([]);
  });

  it('prefers the newer version of a message over the one on disk', async () => {
    await db.putPending(pending('a', 1, 'old'));
    disk.full = true;
    await db.putPending(pending('a', 1, 'new'));
    expect((await db.outbox()).map((one) => one.text)).toEqual(['new']);
  });

  it('keeps drafts and metadata, and returns to the disk when there is space', async () => {
    await db.putDraft('room', 'before');
    disk.full = true;
    await db.putDraft('room', 'while full');
    await db.putMeta('refresh_token', 'fresh');
    expect((await db.snapshot()).drafts).toEqual({ room: 'while full' });
    expect(await db.getMeta('refresh_token')).toBe('fresh');
    disk.full = false;
    await db.putDraft('room', 'after');
    await db.putMeta('refresh_token', 'newest');
    expect((await disk.snapshot()).drafts).toEqual({ room: 'after' });
    expect((await db.snapshot()).drafts).toEqual({ room: 'after' });
    expect(await db.getMeta('refresh_token')).toBe('newest');
  });

  it('removes a draft that was sent, even when the disk cannot', async () => {
    await db.putDraft('room', 'before');
    disk.full = true;
    await db.putDraft('room', '');
    expect((await db.snapshot()).drafts).toEqual({});
  });
});
