/** What one device changes in a conversation for all of the user's devices: drafts, and marking as unread. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Emitter } from '@/lib/emitter';
import type { MemoryDb } from '@/offline/memory-db';
import type { Note } from '@/realtime/shared';
import { unreadOf } from '@/store/selectors';
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
  for (const text of ['one', 'two', 'three']) server.say(room, ben, text);
});

async function device(db?: MemoryDb): Promise<Device> {
  const made = new Device(server, anna, db);
  await made.start();
  await made.session.history.open(room);
  return made;
}

async function offline(one: Device): Promise<void> {
  one.network.goDown();
  await one.clock.advance(10);
}

async function online(one: Device): Promise<void> {
  one.network.goUp();
  await one.clock.advance(40_000);
}

/** Advances both clocks by the same time. */
async function pass(ms: number, ...devices: Device[]): Promise<void> {
  for (const one of devices) await one.clock.advance(ms);
  for (const one of devices) await one.clock.advance(50);
}

const onServer = () => server.conversation(room, anna).me;

describe('a draft', () => {
  const of = (one: Device) => one.session.drafts.of(room);

  it('reaches the other devices a little later, and is removed there when it is sent', async () => {
    const [a, b] = [await device(), await device()];
    const arrived: string[] = [];
    b.session.drafts.arrived.on(({ text }) => arrived.push(text));
    a.session.drafts.set(room, 'Hel');
    a.session.drafts.set(room, 'Hello');
    await pass(3_100, a, b);
    expect(onServer().draft).toBe('Hello');
    expect(of(b)).toBe('Hello');
    await a.session.actions.send(room, 'Hello');
    a.session.drafts.set(room, '');
    await pass(3_100, a, b);
    expect(of(b)).toBe('');
    expect(arrived).toEqual(['Hello', '']);
  });

  it('never replaces what the user is typing here, and the latest text wins', async () => {
    const [a, b] = [await device(), await device()];
    a.session.drafts.set(room, 'from a');
    await a.clock.advance(1_000);
    b.session.drafts.set(room, 'from b');
    await a.clock.advance(2_100);
    await b.clock.advance(100);
    expect(onServer().draft).toBe('from a');
    expect(of(b)).toBe('from b');
    await pass(3_100, b, a);
    expect([onServer().draft, of(a), of(b)]).toEqual(['from b', 'from b', 'from b']);
  });

  it('of another device comes to a tab that does not hold the connection', async () => {
    const notes = new Emitter<Note>();
    const tabs = { leads: false, notes, welcomed: new Emitter<void>(), share: () => undefined };
    const tab = new Device(server, anna, undefined, tabs);
    await tab.session.restore(server.accounts.get(anna)?.user ?? null);
    notes.emit({ kind: 'conversations', conversations: [server.conversation(room, anna)] });
    server.places.http(server, room, anna, { draft: 'written while there was no connection' });
    notes.emit({ kind: 'conversations', conversations: [server.conversation(room, anna)] });
    expect(tab.state.drafts[room]).toBe('written while there was no connection');
  });

  it('written offline outlives a reload and reaches the others at the next connect', async () => {
    const [a, b] = [await device(), await device()];
    await offline(a);
    a.session.drafts.set(room, 'on the train');
    await a.clock.advance(5_000);
    await a.session.stop();
    expect(onServer().draft).toBe('');
    const again = await device(a.db as MemoryDb);
    await pass(500, again, b);
    expect([of(again), onServer().draft, of(b)]).toEqual(['on the train', 'on the train', 'on the train']);
  });

  it('is not replaced by an older one, and a newer one does not lose it', async () => {
    const [a, b] = [await device(), await device()];
    await offline(a);
    server.at('2026-11-21T09:00:00.000Z');
    b.session.drafts.set(room, 'earlier');
    await b.clock.advance(3_100);
    a.session.drafts.set(room, 'later');
    await a.clock.advance(20_000);
    await online(a);
    await b.clock.advance(100);
    expect([onServer().draft, of(a), of(b)]).toEqual(['later', 'later', 'later']);

    await offline(a);
    a.session.drafts.set(room, 'mine');
    await a.clock.advance(20_000);
    server.at('2026-11-21T12:00:00.000Z');
    b.session.drafts.set(room, 'theirs');
    await b.clock.advance(3_100);
    await online(a);
    await b.clock.advance(100);
    expect([onServer().draft, of(a), of(b)]).toEqual(Array(3).fill('mine\n\ntheirs'));
  });

  it('that was sent just before the page closed does not come back', async () => {
    const a = await device();
    a.session.drafts.set(room, 'Hello');
    await a.clock.advance(3_100);
    a.session.drafts.set(room, '');
    await a.session.stop();
    expect(onServer().draft).toBe('Hello');
    const again = await device(a.db as MemoryDb);
    expect(of(again)).toBe('');
    await again.clock.advance(500);
    expect(onServer().draft).toBe('');
  });

  it('that is sent while being saved to the server stays sent', async () => {
    const a = await device();
    a.session.drafts.set(room, 'Hello');
    // The request has just started.
    const running = a.clock.advance(3_000);
    a.session.drafts.set(room, '');
    await running;
    await a.clock.advance(3_100);
    expect([of(a), onServer().draft]).toEqual(['', '']);
  });
});

describe('unread from here', () => {
  const unread = (one: Device) => {
    const conversation = one.state.conversations[room];
    return conversation === undefined ? -1 : unreadOf(one.state, conversation);
  };

  async function pair(): Promise<[Device, Device]> {
    const devices: [Device, Device] = [await device(), await device()];
    devices[0].session.actions.read(room, 3);
    await pass(300, ...devices);
    expect(devices.map(unread)).toEqual([0, 0]);
    return devices;
  }

  it('is the same on all devices, and removed on all when the user reads it on one', async () => {
    const [a, b] = await pair();
    a.session.unread.set(room, 2);
    await pass(100, a, b);
    expect([unread(a), unread(b)]).toEqual([2, 2]);
    expect(onServer()).toMatchObject({ unread_from: 2, read_seq: 3, unread: 0 });
    b.session.actions.read(room, 3);
    await pass(100, a, b);
    expect([unread(a), unread(b)]).toEqual([0, 0]);
    expect(onServer()).not.toHaveProperty('unread_from');
  });

  it('counts exactly on a device that does not store those messages', async () => {
    const [a] = await pair();
    const b = new Device(server, anna);
    await b.start();
    a.session.unread.set(room, 2);
    await pass(100, a, b);
    expect([unread(a), unread(b)]).toEqual([2, 2]);
  });

  it('ends where a client that does not support it reads on', async () => {
    const [a, b] = await pair();
    a.session.unread.set(room, 1);
    await pass(100, a, b);
    server.say(room, ben, 'four');
    await pass(100, a, b);
    expect([unread(a), unread(b)]).toEqual([4, 4]);
    server.mark(room, anna, 4, true);
    await pass(100, a, b);
    expect([unread(a), unread(b)]).toEqual([0, 0]);
  });

  it('set or removed offline is sent at the next connect, after a reload', async () => {
    const [a, b] = await pair();
    await offline(a);
    a.session.unread.set(room, 3);
    await a.clock.advance(100);
    await a.session.stop();
    const again = await device(a.db as MemoryDb);
    await pass(500, again, b);
    expect([unread(again), unread(b)]).toEqual([1, 1]);
    await offline(b);
    b.session.actions.read(room, 3);
    await b.clock.advance(100);
    expect(unread(b)).toBe(0);
    await online(b);
    await again.clock.advance(100);
    expect([unread(again), unread(b)]).toEqual([0, 0]);
  });

  it('set offline ends when another device read further meanwhile', async () => {
    const [a, b] = await pair();
    await offline(a);
    a.session.unread.set(room, 1);
    server.say(room, ben, 'four');
    await b.clock.advance(100);
    b.session.actions.read(room, 4);
    await b.clock.advance(300);
    await online(a);
    await b.clock.advance(100);
    expect([unread(a), unread(b)]).toEqual([0, 0]);
    expect(onServer()).not.toHaveProperty('unread_from');
  });
});
