import { Credentials } from '@/api/credentials';
import { Api, OpenApi } from '@/api/endpoints';
import { Http } from '@/api/http';
import type { ChatDb } from '@/offline/db';
import { MemoryDb } from '@/offline/memory-db';
import { RealtimeClient } from '@/realtime/client';
import type { Tabs } from '@/realtime/link';
import { Session } from '@/session/session';
import { FakeClock } from './clock';
import type { FakeServer } from './server';
import { FakeNetwork } from './transport';

/** Answers `fetch` from the fake server, through the same network as the sockets. */
export function fakeFetch(network: FakeNetwork): typeof fetch {
  return async (input, init) => {
    if (!network.up) throw new TypeError('fetch failed');
    const url = new URL(String(input), 'http://fake');
    const token = new Headers(init?.headers).get('authorization')?.replace('Bearer ', '') ?? null;
    const body = typeof init?.body === 'string' ? JSON.parse(init.body) : undefined;
    const path = url.pathname.replace(/^.*\/api\/v1/, '') + url.search;
    const answer = structuredClone(network.server.http(init?.method ?? 'GET', path, body, token));
    await network.slow;
    if (!network.up) throw new TypeError('fetch failed');
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), {
      status: answer.status,
    });
  };
}

const API = 'http://fake/api/v1';

/** One user's device: its own storage and its own network, with a clock that the test controls. */
export class Device {
  readonly clock = new FakeClock();
  readonly network: FakeNetwork;
  readonly db: ChatDb;
  readonly session: Session;
  readonly client: RealtimeClient;

  /** `tabs` are the others of the same device. */
  constructor(server: FakeServer, userId: string, db: ChatDb = new MemoryDb(), tabs?: Tabs) {
    this.network = new FakeNetwork(server);
    this.db = db;
    const fetcher = fakeFetch(this.network);
    const open = new OpenApi(new Http(API, null, fetcher));
    const credentials = new Credentials({
      exchange: () => open.refresh(`refresh-${userId}`),
      vault: null,
      exclusively: (run) => run(),
      clock: this.clock,
    });
    let client: RealtimeClient | null = null;
    this.session = new Session({
      accountId: userId,
      db,
      api: new Api(new Http(API, credentials, fetcher)),
      link: (resume) => {
        client = new RealtimeClient({
          transport: this.network.transport,
          tokens: credentials,
          resume,
          clock: this.clock,
          random: () => 0.5,
          deviceId: 'device',
        });
        return tabs === undefined ? client : Object.assign(client, { tabs });
      },
      clock: this.clock,
      random: () => 0.5,
    });
    this.client = client as unknown as RealtimeClient;
    this.#user = server.accounts.get(userId)?.user ?? null;
  }

  readonly #user: Parameters<Session['restore']>[0];

  async start(): Promise<void> {
    await this.session.restore(this.#user ?? null);
    this.session.start();
    await this.clock.advance(200);
  }

  get state() {
    return this.session.store.getState();
  }
}
