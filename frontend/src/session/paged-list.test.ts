/** A user in more conversations than `ready` lists: pages, conversations left, and the number of requests. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDb } from '@/offline/memory-db';
import type { ServerFrame } from '@/protocol';
import { expectConverged } from '../../test/converge';
import { Device } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';

let server: FakeServer;
let anna: string;
let ben: string;
let rooms: string[];

beforeEach(() => {
  server = new FakeServer();
  server.listPage = 3;
  anna = server.addPerson('anna', 'Anna').id;
  ben = server.addPerson('ben', 'Ben').id;
  rooms = Array.from({ length: 8 }, (_, index) => server.addRoom('group', [anna, ben], `room ${index}`));
  for (const room of rooms) server.say(room, ben, 'hello');
});

async function started(db?: MemoryDb): Promise<Device> {
  const device = new Device(server, anna, db);
  await device.start();
  await device.clock.advance(500);
  return device;
}

async function away(device: Device, meanwhile: () => void): Promise<void> {
  device.network.goDown();
  await device.clock.advance(100);
  meanwhile();
  device.network.goUp();
  await device.clock.advance(60_000);
}

describe('a paged list', () => {
  it('is loaded completely, from nothing and after a reload', async () => {
    const device = await started();
    expectConverged(device, server, anna);
    await device.clock.advance(5_000);
    const again = await started(device.db as MemoryDb);
    expectConverged(again, server, anna);
  });

  it('reports conversations that were left after its last page, and not before', async () => {
    const device = await started();
    const seen: number[] = [];
    device.client.frames.on((frame: ServerFrame) => {
      if ('more' in frame) seen.push(Object.keys(device.state.conversations).length);
    });
    await away(device, () => {
      const gone = rooms[6] as string;
      server.room(gone).members.delete(anna);
    });
    expect(seen).toEqual([8, 8, 7]);
    expectConverged(device, server, anna);
    expect(await device.db.messages(rooms[6] as string, 5)).toEqual([]);
  });

  it('keeps everything when the connection is lost between pages', async () => {
    const device = await started();
    const off = device.client.frames.on((frame: ServerFrame) => {
      if (frame.type === 'ready') device.network.goDown();
    });
    await away(device, () => undefined);
    expect(Object.keys(device.state.conversations)).toHaveLength(8);
    off();
    await away(device, () => server.say(rooms[7] as string, ben, 'later'));
    expectConverged(device, server, anna);
  });

  it('resets what it did not name and the server does not introduce', async () => {
    server.introduced = 0;
    const device = await started();
    expectConverged(device, server, anna);
    const room = rooms[5] as string;
    await device.session.history.open(room);
    device.session.history.leave(room);
    await device.clock.advance(200);
    // The limit of `known` may exclude this one.
    const known = device.db.known.bind(device.db);
    device.db.known = async () => {
      const { [room]: _, ...others } = await known();
      return others;
    };
    await away(device, () => {
      const [message] = server.room(room).messages;
      server.change(message?.id ?? '', { text: 'mended' }, 'message.edited');
    });
    await device.session.history.open(room);
    expectConverged(device, server, anna);
    expect(device.state.windows[room]?.items[0]?.text).toBe('mended');
  });

  it('fetches a conversation that a frame concerns and that was never introduced', async () => {
    const device = await started();
    const conversation = device.state.conversations[rooms[0] as string];
    device.session.changes.left([rooms[0] as string]);
    server.requests.length = 0;
    for (const text of ['one', 'two', 'three']) server.say(rooms[0] as string, ben, text);
    await device.clock.advance(300);
    expect(device.state.conversations[rooms[0] as string]?.last_seq).toBe(4);
    expect(conversation?.last_seq).toBe(1);
    expect(server.requests).toEqual([`GET /conversations/${rooms[0]}`]);
  });
});

describe('the requests of a start', () => {
  it('are few, however many conversations there are', async () => {
    for (let index = 0; index < 400; index += 1) server.addRoom('group', [anna, ben], `more ${index}`);
    for (const room of server.rooms.keys()) server.say(room, ben, 'hello');
    const device = await started();
    expect(Object.keys(device.state.conversations)).toHaveLength(408);
    await device.clock.advance(10_000);
    expect(server.requests.length).toBeLessThan(45);
    await device.clock.advance(1_000);
    server.requests.length = 0;
    await away(device, () => undefined);
    // Own account, the latest conversations, contacts, blocked people, presence.
    expect(server.requests).toHaveLength(5);
  });

  it('fetch only the conversation on the screen when many were reset', async () => {
    server.resumeLimit = 0;
    const device = await started();
    await device.session.history.open(rooms[2] as string);
    await device.clock.advance(5_000);
    server.requests.length = 0;
    await away(device, () => {
      for (const room of rooms) server.say(room, ben, 'again');
    });
    expect(server.requests.filter((one) => one.includes(`${rooms[2]}/messages`))).toHaveLength(1);
    expectConverged(device, server, anna);
  });
});

describe('typing', () => {
  it('is sent every few seconds at most, however often the text changes', async () => {
    const device = await started();
    const { actions } = device.session;
    const said = () => server.received.filter((one) => one.type === 'typing').length;
    for (let step = 0; step < 100; step += 1) {
      actions.typing(rooms[0] as string, step % 2 === 0);
      if (step % 10 === 0) await actions.send(rooms[0] as string, `message ${step}`);
      await device.clock.advance(100);
    }
    // Ten seconds: started three times at most, and ended as often.
    expect(said()).toBeLessThanOrEqual(6);
  });
});
