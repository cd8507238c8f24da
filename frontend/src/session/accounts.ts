/** Who is signed in on this device: signing in and out, and picking up where the last page left off. */
import { createStore } from 'zustand/vanilla';
import { Credentials } from '@/api/credentials';
import { Api, OpenApi } from '@/api/endpoints';
import { Http } from '@/api/http';
import type { Clock } from '@/lib/clock';
import { uuidv7 } from '@/lib/ids';
import type { ChatDb } from '@/offline/db';
import type { SignedIn } from '@/protocol';
import type { Resume, Tokens } from '@/realtime/client';
import type { Line } from '@/realtime/link';
import { Session } from './session';

export interface AccountsState {
  session: Session | null;
  /** The server ended the session; what was written is still on the device. */
  expired: boolean;
}

/** What the browser offers, as arguments, so that all of it can be put together in a test. */
export interface Platform {
  apiBase: string;
  clock: Clock;
  random: () => number;
  openDb: (accountId: string) => Promise<ChatDb>;
  link: (parts: {
    accountId: string;
    tokens: Tokens;
    resume: () => Promise<Resume>;
    deviceId: string;
    /** The device keeps what is written, so tabs can share it. */
    persistent: boolean;
  }) => Line;
  /** Remembers the account's id; not a secret. */
  remembered: { get(): string | null; set(id: string | null): void };
  /** Whether the server's cookie survives a reload on this address. */
  cookieWorks: boolean;
  exclusively: <T>(name: string, run: () => Promise<T>) => Promise<T>;
  deviceName: string;
}

export class Accounts {
  readonly store = createStore<AccountsState>(() => ({ session: null, expired: false }));
  readonly open: OpenApi;
  readonly #platform: Platform;
  #leaving: Session | null = null;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.open = new OpenApi(new Http(platform.apiBase));
  }

  /** Shows the last account from the device's own copy. False when nobody is signed in here. */
  async restore(openId: string | null = null): Promise<boolean> {
    const accountId = this.#platform.remembered.get();
    if (accountId === null) return false;
    const { session } = await this.#build(accountId);
    await session.restore(null, openId);
    this.#enter(session);
    return true;
  }

  async signIn(login: string, password: string): Promise<void> {
    await this.#take(await this.open.login({ login, password, device_name: this.#platform.deviceName }));
  }

  /** False when the address has to be confirmed first. */
  async register(username: string, email: string, password: string): Promise<boolean> {
    const answer = await this.open.register({ username, email, password });
    const { access_token, refresh_token, expires_in } = answer;
    if (access_token == null || refresh_token == null || expires_in == null) return false;
    await this.#take({ ...answer, access_token, refresh_token, expires_in });
    return true;
  }

  /** Leaves the account and removes its data from this device. */
  async signOut(): Promise<void> {
    const { session } = this.store.getState();
    if (session === null) return;
    this.#leaving = session;
    // Without a connection the session stays on the server until it is ended from another device.
    await session.api.logout().catch(() => undefined);
    this.#platform.remembered.set(null);
    this.store.setState({ session: null, expired: false });
    await session.forget();
  }

  async #take(answer: SignedIn): Promise<void> {
    const { session, credentials } = await this.#build(answer.user.id);
    await credentials.accept(answer);
    await session.restore(answer.user);
    this.#platform.remembered.set(answer.user.id);
    this.#enter(session);
  }

  async #build(accountId: string): Promise<{ session: Session; credentials: Credentials }> {
    const platform = this.#platform;
    const db = await platform.openDb(accountId);
    const credentials = new Credentials({
      exchange: (refreshToken) => this.open.refresh(refreshToken),
      vault: platform.cookieWorks
        ? null
        : {
            load: async () => (await db.getMeta<string>('refresh_token')) ?? null,
            save: (token) => db.putMeta('refresh_token', token),
          },
      exclusively: (run) => platform.exclusively(`chat-mvp:refresh:${accountId}`, run),
      clock: platform.clock,
    });
    const deviceId = (await db.getMeta<string>('device_id')) ?? uuidv7(platform.clock.now());
    await db.putMeta('device_id', deviceId).catch(() => undefined);
    const session = new Session({
      accountId,
      db,
      api: new Api(new Http(platform.apiBase, credentials)),
      link: (resume) =>
        platform.link({ accountId, tokens: credentials, resume, deviceId, persistent: db.persistent }),
      clock: platform.clock,
      random: platform.random,
    });
    return { session, credentials };
  }

  #enter(session: Session): void {
    session.link.states.on((state) => {
      if (state.name === 'closed' && state.reason === 'signed_out') void this.#expire(session);
    });
    this.store.setState({ session, expired: false });
    session.start();
  }

  async #expire(session: Session): Promise<void> {
    // The server closes the connection of who signs out, perhaps before it has answered.
    if (this.store.getState().session !== session || this.#leaving === session) return;
    this.#platform.remembered.set(null);
    this.store.setState({ session: null, expired: true });
    await session.stop();
  }
}
