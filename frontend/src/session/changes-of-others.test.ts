/** Changes by others that everyone sees: the fields of a conversation, and their profiles. */
import { beforeEach, describe, expect, it } from 'vitest';
import { titleOf } from '@/store/selectors';
import { Device } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';

let server: FakeServer;
let anna: string;
let ben: string;

beforeEach(() => {
  server = new FakeServer();
  anna = server.addPerson('anna', 'Anna').id;
  ben = server.addPerson('ben', 'Ben').id;
});

async function device(db?: Device['db']): Promise<Device> {
  const made = new Device(server, anna, db);
  await made.start();
  await made.clock.advance(200);
  return made;
}

/** The same storage in a page without a connection. */
async function reloadedOffline(one: Device): Promise<Device> {
  await one.clock.advance(1_000);
  const again = new Device(server, anna, one.db);
  again.network.goDown();
  await again.session.restore();
  return again;
}

describe('a changed conversation', () => {
  it('keeps the fields that the frame leaves out, also on the device', async () => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    server.say(group, ben, 'hello');
    const a = await device();
    const before = a.state.conversations[group];
    server.rename(group, 'After');
    await a.clock.advance(50);
    const after = { ...before, name: 'After', updated_at: server.room(group).updatedAt };
    expect(a.state.conversations[group]).toEqual(after);
    expect((await reloadedOffline(a)).state.conversations[group]).toEqual(after);
  });

  it('is fetched when it is unknown', async () => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    const a = await device();
    a.session.store.setState({ conversations: {} });
    server.rename(group, 'After');
    await a.clock.advance(200);
    expect(a.state.conversations[group]).toEqual(server.conversation(group, anna));
  });

  it('is fetched at the next connect when an earlier change is missing', async () => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    const a = await device();
    a.network.goDown();
    await a.clock.advance(10);
    server.rename(group, 'Missed');
    // The change of an own setting arrives, but the page with the name does not.
    const http = server.http.bind(server);
    server.http = (...call) => (call[1].startsWith('/conversations?') ? { status: 503 } : http(...call));
    a.network.goUp();
    await a.clock.advance(40_000);
    server.places.http(server, group, anna, { draft: 'later' });
    await a.clock.advance(200);
    const shown = a.state.conversations[group];
    expect(shown).toMatchObject({ name: 'Before', me: { draft: 'later' } });
    expect(shown?.updated_at).not.toBe(server.room(group).updatedAt);
    server.http = http;
    server.dropAll();
    await a.clock.advance(40_000);
    expect(a.state.conversations[group]).toEqual(server.conversation(group, anna));
  });
});

/** Connects again, and the answers of HTTP from before `meanwhile` come after what it does. */
async function overtaken(one: Device, meanwhile: () => void | Promise<void>): Promise<void> {
  one.network.goDown();
  await one.clock.advance(10);
  let release = () => {};
  one.network.slow = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.at('2026-11-21T09:00:00.000Z');
  one.network.goUp();
  await one.clock.advance(5_000);
  await meanwhile();
  await one.clock.advance(50);
  one.network.slow = null;
  release();
  await one.clock.advance(200);
}

describe('what was fetched before a change and arrives after it', () => {
  it.each([
    ['a conversation that had not changed before', () => undefined],
    ['one that had changed while there was no connection', (group: string) => server.rename(group, 'Missed')],
  ])('takes nothing back: %s', async (_, before) => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    const a = await device();
    a.network.goDown();
    await a.clock.advance(10);
    before(group);
    const seen: (string | null | undefined)[] = [];
    await overtaken(a, () => {
      server.rename(group, 'After');
      server.places.http(server, group, anna, { draft: 'newer' });
      a.session.store.subscribe((state) => seen.push(state.conversations[group]?.name));
    });
    expect(new Set(seen)).toEqual(new Set(['After']));
    expect(a.state.conversations[group]).toEqual(server.conversation(group, anna));
    expect(a.session.drafts.of(group)).toBe('newer');
    expect((await reloadedOffline(a)).state.conversations[group]).toEqual(server.conversation(group, anna));
  });

  it('does not bring back a conversation that was left', async () => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    const a = await device();
    await overtaken(a, () => {
      server.room(group).members.delete(anna);
      server.toUser(anna, { type: 'conversation.left', conversation_id: group });
    });
    expect(a.state.conversations).toEqual({});
    expect((await reloadedOffline(a)).state.conversations).toEqual({});
  });

  it('does not bring back an old name of a user', async () => {
    const direct = server.addRoom('direct', [anna, ben]);
    const a = await device();
    await a.session.contacts.add(ben);
    await overtaken(a, () => {
      server.profile(ben, { display_name: 'Benjamin' });
      server.profile(anna, { display_name: 'Anna B.' });
    });
    const names = ({ conversations, people, contacts, me }: Device['state']) => [
      conversations[direct]?.peer?.display_name,
      people[ben]?.display_name,
      contacts[ben]?.user.display_name,
      me?.display_name,
    ];
    const now = ['Benjamin', 'Benjamin', 'Benjamin', 'Anna B.'];
    expect(names(a.state)).toEqual(now);
    expect(names((await reloadedOffline(a)).state)).toEqual(now);
  });
});

describe('an own setting that is refused', () => {
  it('takes back nothing but itself', async () => {
    const group = server.addRoom('group', [anna, ben], 'Before');
    const gone = server.addRoom('group', [anna, ben], 'Gone');
    const a = await device();
    let release = () => {};
    a.network.slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const http = server.http.bind(server);
    server.http = (...call) => (call[1].endsWith('/me') ? { status: 503 } : http(...call));
    const refused = [group, gone].map((id) =>
      expect(a.session.actions.own(id, { pinned: true })).rejects.toThrow(),
    );
    await a.clock.advance(10);
    expect(a.state.conversations[group]?.me.pinned).toBe(true);
    server.rename(group, 'After');
    server.toUser(anna, { type: 'conversation.left', conversation_id: gone });
    release();
    await Promise.all(refused);
    expect(a.state.conversations).toEqual({ [group]: server.conversation(group, anna) });
  });
});

describe('a user who changes their profile', () => {
  it('has the new name at once, and after a reload without a connection', async () => {
    const direct = server.addRoom('direct', [anna, ben]);
    const a = await device();
    await a.session.contacts.add(ben);
    await a.session.actions.loadMembers(direct);
    server.profile(ben, { display_name: 'Benjamin', avatar_url: '/ben.png' });
    await a.clock.advance(50);
    const b = await reloadedOffline(a);
    await b.session.actions.loadMembers(direct).catch(() => undefined);
    for (const { state } of [a, b]) {
      const conversation = state.conversations[direct];
      expect(conversation && titleOf(state, conversation)).toBe('Benjamin');
      const copies = [conversation?.peer, state.people[ben], state.contacts[ben]?.user];
      copies.push(state.members[direct]?.[ben]?.user);
      expect(copies).toEqual(copies.map(() => server.publicOf(ben)));
    }
  });

  it("is updated on all of the user's own devices", async () => {
    server.addRoom('direct', [anna, ben]);
    const a = await device();
    server.profile(anna, { display_name: 'Anna B.' });
    await a.clock.advance(50);
    expect(a.state.me).toMatchObject({ display_name: 'Anna B.', email: 'anna@example.org' });
  });
});
