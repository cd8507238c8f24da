import { beforeEach, describe, expect, it } from 'vitest';
import { expectConverged } from '../../test/converge';
import { Device } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';
import { latestOf } from './sync';

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

async function started(userId: string): Promise<Device> {
  const device = new Device(server, userId);
  await device.start();
  return device;
}

function texts(device: Device): string[] {
  return (device.state.windows[room]?.items ?? []).map((one) => one.text);
}

describe('sending', () => {
  it('shows the message immediately, then as sent, without a duplicate', async () => {
    const a = await started(anna);
    void a.session.actions.send(room, 'hello');
    expect(a.state.pending[room]?.map((one) => one.text)).toEqual(['hello']);
    await a.clock.advance(100);
    expect(a.state.pending[room]).toEqual([]);
    expect(texts(a)).toEqual(['hello']);
    expectConverged(a, server, anna);
  });

  it('reaches the other device, which confirms it, and the sender sees the receipt', async () => {
    const a = await started(anna);
    const b = await started(ben);
    await a.session.actions.send(room, 'hello');
    await a.clock.advance(50);
    await b.clock.advance(300);
    expect(texts(b)).toEqual(['hello']);
    expect(b.state.conversations[room]?.me.unread).toBe(1);
    expect(a.state.conversations[room]?.others_delivered_seq).toBe(1);
    b.session.actions.read(room, 1);
    await b.clock.advance(50);
    expect(a.state.conversations[room]?.others_read_seq).toBe(1);
    expectConverged(a, server, anna);
    expectConverged(b, server, ben);
  });

  it('keeps messages written offline and sends each once and in order', async () => {
    const a = await started(anna);
    a.network.goDown();
    await a.clock.advance(10);
    for (const text of ['one', 'two', 'three']) await a.session.actions.send(room, text);
    await a.clock.advance(5_000);
    expect(a.state.pending[room]?.map((one) => one.state)).toEqual(['waiting', 'waiting', 'waiting']);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(server.rooms.get(room)?.messages.map((one) => one.text)).toEqual(['one', 'two', 'three']);
    expect(a.state.pending[room]).toEqual([]);
    expectConverged(a, server, anna);
  });

  it('sends messages of an earlier page with the same id', async () => {
    const a = await started(anna);
    a.network.goDown();
    await a.clock.advance(10);
    await a.session.actions.send(room, 'written before the reload');
    const id = a.state.pending[room]?.[0]?.client_message_id;

    const again = new Device(server, anna, a.db);
    await again.start();
    await again.clock.advance(1_000);
    const stored = server.rooms.get(room)?.messages ?? [];
    expect(stored.map((one) => one.text)).toEqual(['written before the reload']);
    expect(stored[0]?.client_message_id).toBe(id);
    expect(await again.db.outbox()).toEqual([]);
  });

  it('does not duplicate a message whose answer was lost', async () => {
    const a = await started(anna);
    await a.session.actions.send(room, 'once');
    // The server has stored it, but the answer never arrives.
    await Promise.resolve();
    await Promise.resolve();
    a.network.goDown();
    await a.clock.advance(10);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(server.rooms.get(room)?.messages.map((one) => one.text)).toEqual(['once']);
    expectConverged(a, server, anna);
  });

  it('retries after a temporary refusal', async () => {
    const a = await started(anna);
    server.refuse = { code: 'rate_limited', times: 2 };
    await a.session.actions.send(room, 'patience');
    await a.clock.advance(10_000);
    expect(texts(a)).toEqual(['patience']);
  });

  it('waits as long as the server asks, and keeps the order', async () => {
    const a = await started(anna);
    server.refuse = { code: 'rate_limited', times: 1, retryAfterMs: 5_000 };
    for (const text of ['one', 'two', 'three']) await a.session.actions.send(room, text);
    await a.clock.advance(4_900);
    expect(server.room(room).messages).toEqual([]);
    await a.clock.advance(1_000);
    expect(server.room(room).messages.map((one) => one.text)).toEqual(['one', 'two', 'three']);
    expect(a.state.pending[room]).toEqual([]);
    expect(a.state.notices.filter((one) => one.code === 'request_failed')).toEqual([]);
  });

  it('reports a permanent refusal, sends the next message, and can be retried', async () => {
    const a = await started(anna);
    server.refuse = { code: 'cannot_message', times: 1 };
    await a.session.actions.send(room, 'refused');
    await a.session.actions.send(room, 'taken');
    await a.clock.advance(1_000);
    const [failed] = a.state.pending[room] ?? [];
    expect(failed).toMatchObject({ text: 'refused', state: 'failed', error: 'cannot_message' });
    expect(texts(a)).toEqual(['taken']);
    if (failed !== undefined) await a.session.actions.retry(failed);
    await a.clock.advance(1_000);
    expect(texts(a)).toEqual(['taken', 'refused']);
    expect(a.state.pending[room]).toEqual([]);
  });
});

describe('reconnecting', () => {
  it('delivers what was missed: new messages, edits and deletions', async () => {
    const first = server.say(room, ben, 'first');
    const second = server.say(room, ben, 'second');
    const a = await started(anna);
    await a.session.history.open(room);
    await a.clock.advance(200);
    a.network.goDown();
    await a.clock.advance(10);
    server.change(first.id, { text: 'first, mended', edited_at: server.now() }, 'message.edited');
    server.change(second.id, { text: '', deleted_at: server.now() }, 'message.deleted');
    server.say(room, ben, 'third');
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(texts(a)).toEqual(['first, mended', '', 'third']);
    expectConverged(a, server, anna);
  });

  it('sends what it has stored, and never claims more', async () => {
    const a = await started(anna);
    server.say(room, ben, 'one');
    await a.clock.advance(200);
    expect(await a.db.known()).toEqual({ [room]: 1 });
    expect((await a.db.messages(room, 50)).map((one) => one.text)).toEqual(['one']);
    server.dropAll();
    await a.clock.advance(40_000);
    const connects = server.received.filter((one) => one.type === 'connect');
    expect(connects.at(-1)).toMatchObject({ known: { [room]: 1 }, epoch: 'epoch-1' });
  });

  it('fetches again what was too much to stream', async () => {
    server.resumeLimit = 3;
    server.say(room, ben, 'old');
    const a = await started(anna);
    await a.session.history.open(room);
    await a.clock.advance(200);
    a.network.goDown();
    await a.clock.advance(10);
    for (let n = 0; n < 10; n += 1) server.say(room, ben, `missed ${n}`);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(texts(a)).toHaveLength(11);
    expectConverged(a, server, anna);
  });

  it('names at most the allowed number of conversations: the most recently active', async () => {
    const quiet = server.addRoom('group', [anna, ben], 'Quiet');
    server.at('2026-11-22T00:00:00.000Z');
    server.say(room, ben, 'one');
    const fresh = server.addRoom('group', [anna, ben], 'Fresh');
    const a = await started(anna);
    const known = { [quiet]: 1, [fresh]: 2, [room]: 3 };
    expect(latestOf(known, a.state.conversations, 3)).toEqual(known);
    expect(latestOf(known, a.state.conversations, 2)).toEqual({ [fresh]: 2, [room]: 3 });
  });

  it('resets a conversation that it did not name', async () => {
    const first = server.say(room, ben, 'first');
    const a = await started(anna);
    await a.session.history.open(room);
    await a.clock.advance(200);
    a.db.known = async () => ({});
    a.network.goDown();
    await a.clock.advance(10);
    server.change(first.id, { text: 'first, mended', edited_at: server.now() }, 'message.edited');
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(server.received.filter((one) => one.type === 'connect').at(-1)?.known).toEqual({});
    expect(texts(a)).toEqual(['first, mended']);
    expect((await a.db.messages(room, 50)).map((one) => one.text)).toEqual(['first, mended']);
    expectConverged(a, server, anna);
  });

  it("discards its copy when the server's epoch changed", async () => {
    server.say(room, ben, 'one');
    const a = await started(anna);
    await a.session.history.open(room);
    server.epoch = 'epoch-2';
    server.dropAll();
    await a.clock.advance(60_000);
    expect(await a.db.getMeta('epoch')).toBe('epoch-2');
    await a.session.history.open(room);
    expectConverged(a, server, anna);
  });

  it('removes a conversation that the user left meanwhile', async () => {
    const group = server.addRoom('group', [ben, anna], 'Plans');
    const a = await started(anna);
    a.network.goDown();
    await a.clock.advance(10);
    server.rooms.get(group)?.members.delete(anna);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(a.state.conversations[group]).toBeUndefined();
    expectConverged(a, server, anna);
  });

  it('sends read positions that changed without a connection', async () => {
    server.say(room, ben, 'one');
    const a = await started(anna);
    await a.session.history.open(room);
    a.network.goDown();
    await a.clock.advance(10);
    a.session.actions.read(room, 1);
    expect(a.state.conversations[room]?.me.unread).toBe(0);
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(server.rooms.get(room)?.members.get(anna)?.read).toBe(1);
    expectConverged(a, server, anna);
  });
});

describe('without the server', () => {
  it('shows everything on the device before any answer', async () => {
    server.say(room, ben, 'kept');
    const a = await started(anna);
    await a.session.history.open(room);
    await a.clock.advance(2_000);

    const again = new Device(server, anna, a.db);
    again.network.goDown();
    await again.session.restore();
    await again.session.history.open(room).catch(() => undefined);
    expect(texts(again)).toEqual(['kept']);
    expect(again.state.me?.username).toBe('anna');
    expect(again.state.link).not.toBe('online');
  });

  it('shows that it is offline, and when it is back', async () => {
    const a = await started(anna);
    expect(a.state.link).toBe('online');
    a.network.goDown();
    await a.clock.advance(10);
    expect(a.state.link).toBe('offline');
    a.network.goUp();
    await a.clock.advance(40_000);
    expect(a.state.link).toBe('online');
  });

  it('shows no one as typing while offline', async () => {
    const a = await started(anna);
    const b = await started(ben);
    b.session.actions.typing(room, true);
    await a.clock.advance(50);
    expect(a.state.typing[room]).toHaveProperty(ben);
    a.network.goDown();
    await a.clock.advance(10);
    expect(a.state.typing).toEqual({});
  });

  it('detects a dead connection that was never closed', async () => {
    const a = await started(anna);
    a.network.up = false;
    await a.clock.advance(server.heartbeatS * 1000 + 4_000);
    expect(a.state.link).toBe('offline');
  });
});

describe('history', () => {
  it('pages to the beginning and stops there', async () => {
    for (let n = 1; n <= 120; n += 1) server.say(room, ben, `m${n}`);
    server.mark(room, anna, 120, true);
    const a = await started(anna);
    await a.session.history.open(room);
    expect(a.state.windows[room]?.items).toHaveLength(50);
    for (let turn = 0; turn < 4; turn += 1) await a.session.history.older(room);
    expect(a.state.windows[room]).toMatchObject({ atStart: true, atEnd: true });
    expectConverged(a, server, anna);
    expect(texts(a)[0]).toBe('m1');
  });

  it('opens at the first unread message however far back it is', async () => {
    for (let n = 1; n <= 300; n += 1) server.say(room, ben, `m${n}`);
    server.mark(room, anna, 300, false);
    server.mark(room, anna, 40, true);
    const a = await started(anna);
    await a.session.history.open(room);
    expect(texts(a)).toContain('m41');
    expect(a.state.windows[room]?.atEnd).toBe(false);
    await a.session.history.jumpToLatest(room);
    expect(texts(a).at(-1)).toBe('m300');
  });

  it('loads the message before the first unread one, although the queue starts there', async () => {
    for (let n = 1; n <= 300; n += 1) server.say(room, ben, `m${n}`);
    server.mark(room, anna, 260, true);
    const a = await started(anna);
    await a.clock.advance(100);
    expect(texts(a)[0]).toBe('m261');
    await a.session.history.open(room);
    expect(texts(a)).toContain('m260');
    expect(a.state.windows[room]?.atEnd).toBe(true);
  });

  it('finds a date with few requests', async () => {
    for (let n = 1; n <= 1000; n += 1) {
      if (n === 700) server.at('2026-11-25T00:00:00.000Z');
      server.say(room, ben, `m${n}`);
    }
    const a = await started(anna);
    expect(await a.session.history.findDate(room, Date.parse('2026-11-24T12:00:00.000Z'))).toBe(700);
    expect(await a.session.history.findDate(room, 0)).toBe(1);
    expect(await a.session.history.findDate(room, Date.parse('2030-01-01T00:00:00.000Z'))).toBe(1000);
  });
});

describe('changing messages', () => {
  it('shows an edit, a deletion and a reaction immediately and agrees with the server', async () => {
    const a = await started(anna);
    await a.session.actions.send(room, 'teh');
    await a.clock.advance(100);
    const message = () =>
      a.state.windows[room]?.items[0] as NonNullable<(typeof a.state.windows)[string]>['items'][0];
    const edit = a.session.actions.edit(message(), 'the');
    expect(message().text).toBe('the');
    await edit;
    await a.session.actions.react(message(), '👍');
    expectConverged(a, server, anna);
    await a.session.actions.remove(message());
    expectConverged(a, server, anna);
  });

  it('treats an emoji with and without a variation selector as one reaction', async () => {
    const a = await started(anna);
    await a.session.actions.send(room, 'news');
    await a.clock.advance(100);
    const message = () =>
      a.state.windows[room]?.items[0] as NonNullable<(typeof a.state.windows)[string]>['items'][0];
    server.change(
      message().id,
      { reactions: [{ emoji: '\u2764\uFE0F', count: 1, user_ids: [ben] }] },
      'message.reaction',
    );
    await a.clock.advance(100);
    const adding = a.session.actions.react(message(), '\u2764');
    expect(message().reactions).toEqual([{ emoji: '\u2764\uFE0F', count: 2, user_ids: [ben, anna] }]);
    await adding;
    const removing = a.session.actions.react(message(), '\u2764\uFE0F');
    expect(message().reactions).toEqual([]);
    await removing;
  });

  it('reverts an edit when there is no connection', async () => {
    const a = await started(anna);
    await a.session.actions.send(room, 'before');
    await a.clock.advance(100);
    a.network.goDown();
    await a.clock.advance(10);
    const message = a.state.windows[room]?.items[0];
    if (message === undefined) throw new Error('no message');
    await expect(a.session.actions.edit(message, 'after')).rejects.toMatchObject({ code: 'connection_lost' });
    expect(texts(a)).toEqual(['before']);
  });
});

describe('credentials', () => {
  it('gets a fresh token when the server rejects the old one', async () => {
    const a = await started(anna);
    server.revokeTokens();
    server.dropAll(4401);
    await a.clock.advance(1_000);
    expect(a.state.link).toBe('online');
  });

  it('signs out when no fresh token is available', async () => {
    const a = await started(anna);
    server.accounts.delete(anna);
    server.dropAll(4401);
    await a.clock.advance(1_000);
    expect(a.client.state).toEqual({ name: 'closed', reason: 'signed_out' });
  });
});
