/** The last navigation decides where the conversation ends up, whichever answer arrives first. */
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryDb } from '@/offline/memory-db';
import type { Message } from '@/protocol';
import { settle } from '../../test/fake/clock';
import { Device } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';

const MANY = 200;

/** A device whose disk answers queries about the past only when the test allows it. */
class SlowDb extends MemoryDb {
  #held: (() => void)[] = [];
  #slow = false;

  hold(): void {
    this.#slow = true;
  }

  /** Answers the first query, or a later one. */
  async answer(index = 0): Promise<void> {
    expect(this.#held.length).toBeGreaterThan(index);
    for (const release of this.#held.splice(index, 1)) release();
    await settle();
  }

  override async range(...asked: Parameters<MemoryDb['range']>): Promise<Message[]> {
    if (this.#slow) await new Promise<void>((resolve) => this.#held.push(resolve));
    return super.range(...asked);
  }
}

let server: FakeServer;
let anna: string;
let ben: string;
let room: string;
let db: SlowDb;
let device: Device;

beforeEach(async () => {
  server = new FakeServer();
  anna = server.addPerson('anna', 'Anna').id;
  ben = server.addPerson('ben', 'Ben').id;
  room = server.addRoom('direct', [anna, ben]);
  for (let seq = 1; seq <= MANY; seq += 1) server.say(room, ben, `line ${seq}`);
  // Another device of hers had all of them, so the server does not send them.
  Object.assign(server.rooms.get(room)?.members.get(anna) ?? {}, { delivered: MANY });
  db = new SlowDb();
  device = new Device(server, anna, db);
  await device.start();
});

const window = () => device.state.windows[room];
const first = () => window()?.items[0]?.seq;
const last = () => window()?.items.at(-1)?.seq;

async function openedAtEnd(): Promise<void> {
  device.session.actions.read(room, MANY);
  await device.clock.advance(50);
  await device.session.history.open(room);
  expect(last()).toBe(MANY);
  db.hold();
}

describe('opening a conversation at its first unread message', () => {
  beforeEach(() => db.hold());

  it('shows that message when the user does not navigate', async () => {
    const opening = device.session.history.open(room);
    await settle();
    await db.answer();
    await opening;
    expect(first()).toBe(1);
    expect(window()?.atEnd).toBe(false);
  });

  it('stays at the end when the user jumped there', async () => {
    const opening = device.session.history.open(room);
    await settle();
    expect(await device.session.history.jumpToLatest(room)).toBe(true);
    await db.answer();
    await opening;
    expect(last()).toBe(MANY);
    expect(window()?.atEnd).toBe(true);
  });

  it('is cancelled when the user leaves, and starts again when the user returns', async () => {
    const opening = device.session.history.open(room);
    await settle();
    device.session.history.leave(room);
    await db.answer();
    await opening;
    expect(window()?.atEnd ?? true).toBe(true);

    const again = device.session.history.open(room);
    await settle();
    await db.answer();
    await again;
    expect(first()).toBe(1);
  });
});

describe('two concurrent navigations', () => {
  beforeEach(openedAtEnd);

  it('end at the later one when the earlier one takes longer', async () => {
    const { history } = device.session;
    const early = history.jumpTo(room, 20);
    const late = history.jumpTo(room, 100);
    await settle();
    await db.answer(1);
    expect(await late).toBe(true);
    await db.answer();
    expect(await early).toBe(false);
    expect(window()?.items.some((one) => one.seq === 100)).toBe(true);
    expect(window()?.items.some((one) => one.seq === 20)).toBe(false);
  });

  it('end at the newest message when that was requested last', async () => {
    const { history } = device.session;
    const early = history.jumpTo(room, 20);
    await settle();
    expect(await history.jumpToLatest(room)).toBe(true);
    await db.answer();
    expect(await early).toBe(false);
    expect(last()).toBe(MANY);
  });

  it('end at the message when the newest one was requested before', async () => {
    const { history } = device.session;
    const past = history.jumpTo(room, 20);
    await settle();
    await db.answer();
    await past;
    const latest = history.jumpToLatest(room);
    const back = history.jumpTo(room, 100);
    expect(await latest).toBe(false);
    await settle();
    await db.answer();
    expect(await back).toBe(true);
    expect(window()?.items.some((one) => one.seq === 100)).toBe(true);
  });

  it('do not end at a date that was requested before', async () => {
    const { history } = device.session;
    const finding = history.findDate(room, 0);
    await history.jumpToLatest(room);
    expect(await finding).toBe(null);
    expect(await history.findDate(room, 0)).toBe(1);
  });
});

it('goes to the newest message when the last page was outdated', async () => {
  await openedAtEnd();
  device.network.goDown();
  await device.clock.advance(10);
  device.session.history.leave(room);
  for (let n = 0; n < 5; n += 1) server.say(room, ben, `missed ${n}`);
  device.network.goUp();
  expect(last()).toBe(MANY);
  await device.clock.advance(40_000);
  expect(await device.session.history.jumpToLatest(room)).toBe(true);
  expect(last()).toBe(MANY + 5);
});
