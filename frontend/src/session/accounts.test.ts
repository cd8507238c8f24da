/** Sign-out removes everything; a session that was ended elsewhere keeps unsent text. */
import { beforeEach, expect, it, vi } from 'vitest';
import { Emitter } from '@/lib/emitter';
import { MemoryDb } from '@/offline/memory-db';
import type { ServerFrame } from '@/protocol';
import type { Line } from '@/realtime/link';
import type { ConnectionState } from '@/realtime/machine';
import { FakeClock, settle } from '../../test/fake/clock';
import { fakeFetch } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';
import { FakeNetwork } from '../../test/fake/transport';
import { Accounts } from './accounts';

const ENDED: ConnectionState = { name: 'closed', reason: 'signed_out' };

/** A connection whose only relevant event is its end. */
class EndingLine implements Line {
  readonly frames = new Emitter<ServerFrame>();
  readonly states = new Emitter<ConnectionState>();
  state: ConnectionState = { name: 'disconnected' };

  /** The server reports that the session ended. */
  end(): void {
    this.state = ENDED;
    this.states.emit(ENDED);
  }

  notify(): boolean {
    return false;
  }

  request(): Promise<ServerFrame> {
    return Promise.reject(new Error('there is no connection'));
  }

  start(): void {}
  stop(): void {}
  restart(): void {}
  networkChanged(): void {}
  woke(): void {}
}

let line: EndingLine;
let destroyed: string[];
let remembered: string | null;
let accounts: Accounts;
/** Runs while the server handles the sign-out. */
let meanwhile: () => void;

class WatchedDb extends MemoryDb {
  constructor(readonly account: string) {
    super();
  }

  override async destroy(): Promise<void> {
    destroyed.push(this.account);
    await super.destroy();
  }
}

beforeEach(async () => {
  const server = new FakeServer();
  const answer = fakeFetch(new FakeNetwork(server));
  meanwhile = () => undefined;
  vi.stubGlobal('fetch', (async (input, init) => {
    if (String(input).endsWith('/auth/logout')) {
      meanwhile();
      await settle();
    }
    return answer(input, init);
  }) satisfies typeof fetch);
  line = new EndingLine();
  destroyed = [];
  remembered = null;
  server.addPerson('anna');
  accounts = new Accounts({
    apiBase: 'http://fake/api/v1',
    clock: new FakeClock(),
    random: () => 0.5,
    openDb: async (id) => new WatchedDb(id),
    link: () => line,
    remembered: {
      get: () => remembered,
      set: (id) => {
        remembered = id;
      },
    },
    cookieWorks: false,
    exclusively: (_, run) => run(),
    deviceName: 'test',
  });
  await accounts.signIn('anna', 'correct horse battery');
});

it.each([
  ['after', () => undefined],
  ['before', () => line.end()],
])('removes everything when the connection ends %s the answer', async (_, happens) => {
  meanwhile = happens;
  const id = remembered;
  const told: boolean[] = [];
  accounts.store.subscribe((state) => told.push(state.expired));
  await accounts.signOut();
  expect(told, 'no expiry notice after the user signed out').not.toContain(true);
  expect(destroyed).toEqual([id]);
  expect(remembered).toBe(null);
  expect(accounts.store.getState()).toEqual({ session: null, expired: false });
});

it('keeps the data on the device when the session was ended elsewhere', async () => {
  line.end();
  await settle();
  expect(destroyed).toEqual([]);
  expect(accounts.store.getState()).toEqual({ session: null, expired: true });
});
