/** What a device stores of its own: marks, choices, names, and what a full disk must not lose. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDb } from '@/offline/memory-db';
import { SturdyDb } from '@/offline/sturdy-db';
import type { Message } from '@/protocol';
import { nameOf, unreadOf } from '@/store/selectors';
import type { PendingMessage } from '@/store/state';
import { expectConverged } from '../../test/converge';
import { Device } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';

let server: FakeServer;
let anna: string;
let ben: string;
let room: string;

beforeEach(() => {
  server = new FakeServer();
  anna = server.addPerson('anna', 'Anna').id;
  ben = server.addPerson('ben', 'Ben').id;
  room = server.addRoom('direct', [anna, ben]);
});

async function started(userId = anna, db = new MemoryDb()): Promise<Device> {
  const device = new Device(server, userId, db);
  await device.start();
  return device;
}

function unread(device: Device): number {
  const conversation = device.state.conversations[room];
  return conversation === undefined ? -1 : unreadOf(device.state, conversation);
}

describe('unread from here', () => {
  async function read(): Promise<Device> {
    for (const text of ['one', 'two', 'three']) server.say(room, ben, text);
    const a = await started();
    await a.session.history.open(room);
    a.session.actions.read(room, 3);
    await a.clock.advance(50);
    expect(unread(a)).toBe(0);
    return a;
  }

  it('counts from the message on, includes later ones, and does not move the read position', async () => {
    const a = await read();
    a.session.unread.set(room, 2);
    expect(unread(a)).toBe(2);
    server.say(room, ben, 'four');
    await a.clock.advance(300);
    expect(unread(a)).toBe(3);
    expect(server.conversation(room, anna).me.read_seq).toBe(3);
  });

  it('survives a reload and is where the conversation opens', async () => {
    const a = await read();
    a.session.unread.set(room, 2);
    await a.clock.advance(50);
    const again = await started(anna, a.db as MemoryDb);
    expect(again.state.unreadFrom[room]).toEqual({ seq: 2, read: 3, count: 2 });
  });

  it('ends when the user reads on', async () => {
    const a = await read();
    a.session.unread.set(room, 2);
    a.session.actions.read(room, 1);
    expect(unread(a)).toBe(2);
    a.session.actions.read(room, 3);
    expect(unread(a)).toBe(0);
    await a.clock.advance(50);
    expect(await a.db.getMeta('unread_marks')).toEqual({ marks: {}, untold: [] });
  });

  it('adds nothing to what the server counts as unread', async () => {
    server.say(room, ben, 'one');
    const a = await started();
    a.session.unread.set(room, 1);
    expect(unread(a)).toBe(1);
  });
});

describe('chosen presence', () => {
  it('survives reloads and reconnects', async () => {
    const a = await started();
    a.session.presence.choose('invisible');
    await a.clock.advance(50);
    expect(server.presence.get(anna)).toBe('invisible');
    a.network.goDown();
    await a.clock.advance(10);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(a.state.chosenPresence).toBe('invisible');
    const again = await started(anna, a.db as MemoryDb);
    expect(again.state.chosenPresence).toBe('invisible');
  });

  it('reaches the server later when it was chosen offline', async () => {
    const a = await started();
    a.network.goDown();
    await a.clock.advance(10);
    a.session.presence.choose('dnd');
    const again = new Device(server, anna, a.db);
    await again.start();
    await again.clock.advance(500);
    expect(server.presence.get(anna)).toBe('dnd');
    expect(again.state.chosenPresence).toBe('dnd');
  });

  it('follows what another device chooses, at once', async () => {
    const [a, b] = [await started(), await started()];
    const chosen = (one: Device) => one.state.chosenPresence;
    const seen = new Set<string>();
    a.session.store.subscribe(({ chosenPresence }) => seen.add(chosenPresence));
    for (const state of ['invisible', 'away', 'dnd', 'online'] as const) {
      a.session.presence.choose(state);
      // A second choice before the answer to the first: it does not jump back.
      if (state === 'dnd') a.session.presence.choose('invisible');
      seen.clear();
      await a.clock.advance(50);
      await b.clock.advance(50);
      expect([chosen(a), chosen(b)]).toEqual(Array(2).fill(state === 'dnd' ? 'invisible' : state));
      expect(seen.size).toBeLessThan(2);
    }
    b.session.presence.choose('dnd');
    await b.clock.advance(50);
    expect([chosen(a), chosen(b)]).toEqual(['dnd', 'dnd']);
    const again = await started(anna, a.db as MemoryDb);
    expect(again.state.chosenPresence).toBe('dnd');
  });

  it('follows what another device chose meanwhile', async () => {
    const a = await started();
    expect(a.state.chosenPresence).toBe('online');
    server.presence.set(anna, 'away');
    const again = await started(anna, a.db as MemoryDb);
    await again.clock.advance(500);
    expect(again.state.chosenPresence).toBe('away');
  });
});

describe('nicknames', () => {
  it('are shown immediately, kept for offline use, and removed again', async () => {
    const a = await started();
    await a.session.contacts.rename(ben, '  Benny ');
    expect(server.contacts.get(anna)?.get(ben)).toBe('Benny');
    expect(nameOf(a.state, a.state.people[ben])).toBe('Benny');
    const offline = new Device(server, anna, a.db);
    await offline.session.restore();
    expect(nameOf(offline.state, offline.state.people[ben])).toBe('Benny');
    await a.session.contacts.rename(ben, '');
    expect(nameOf(a.state, a.state.people[ben])).toBe('Ben');
    expect(a.state.contacts[ben]).toBeDefined();
  });
});

describe('pins', () => {
  it('are shown immediately, agree with the server, and are found offline', async () => {
    server.say(room, ben, 'the address');
    const a = await started();
    await a.session.history.open(room);
    const message = a.state.windows[room]?.items[0] as Message;
    const pinning = a.session.actions.pin(message, true);
    expect(a.state.windows[room]?.items[0]?.pinned).toBe(true);
    await pinning;
    await a.clock.advance(100);
    expectConverged(a, server, anna);
    expect((await a.session.history.pinned(room)).map((one) => one.text)).toEqual(['the address']);
  });
});

describe('searching messages', () => {
  it('works offline and opens the result in its context', async () => {
    for (let n = 1; n <= 200; n += 1) server.say(room, ben, n === 40 ? 'the needle' : `hay ${n}`);
    const a = await started();
    await a.session.history.open(room);
    for (let page = 0; page < 4; page += 1) {
      await a.session.history.older(room);
      await a.clock.advance(100);
    }
    a.session.history.leave(room);
    a.network.goDown();
    await a.clock.advance(10);
    const [found] = await a.session.history.search('needle', 5);
    expect(found?.seq).toBe(40);
    await a.session.history.open(room).catch(() => undefined);
    await a.session.history.jumpTo(room, 40);
    const seqs = () => a.state.windows[room]?.items.map((one) => one.seq) ?? [];
    expect(seqs()).toContain(40);
    // Continue from there in both directions, without gaps.
    await a.session.history.older(room);
    await a.session.history.newer(room);
    expect(seqs()).toEqual(Array.from({ length: seqs().length }, (_, at) => (seqs()[0] ?? 0) + at));
    expect(seqs()[0]).toBe(1);
    expect(seqs().at(-1)).toBeGreaterThan(65);
  });
});

/** A disk that rejects writes while it is full. */
class FullDisk extends MemoryDb {
  full = false;

  override async write(batch: Parameters<MemoryDb['write']>[0]): Promise<void> {
    if (this.full) throw new DOMException('no room', 'QuotaExceededError');
    await super.write(batch);
  }

  override async putPending(record: PendingMessage): Promise<void> {
    if (this.full) throw new DOMException('no room', 'QuotaExceededError');
    await super.putPending(record);
  }
}

describe('a full disk', () => {
  it('still sends what was written offline, and reports that it is full', async () => {
    const disk = new FullDisk();
    const a = new Device(server, anna, new SturdyDb(disk));
    await a.start();
    a.network.goDown();
    await a.clock.advance(10);
    disk.full = true;
    for (const text of ['one', 'two']) await a.session.actions.send(room, text);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(server.rooms.get(room)?.messages.map((one) => one.text)).toEqual(['one', 'two']);
    expect(a.state.pending[room]).toEqual([]);
    expect(a.state.notices.map((one) => one.code)).toContain('storage_full');
  });

  it('never claims to have what it could not store', async () => {
    const disk = new FullDisk();
    const a = new Device(server, anna, new SturdyDb(disk));
    await a.start();
    disk.full = true;
    const lost = server.say(room, ben, 'did not fit');
    await a.clock.advance(100);
    disk.full = false;
    server.say(room, ben, 'fits again');
    await a.clock.advance(100);
    expect((await disk.known())[room]).toBeLessThan(lost.rev);

    const again = new Device(server, anna, disk);
    await again.start();
    await again.clock.advance(500);
    expect((await disk.messages(room, 10)).map((one) => one.text)).toEqual(['did not fit', 'fits again']);
    expectConverged(again, server, anna);
  });
});
