/** The accounts on this device: sign-in, sign-out, and restoring the last session. */
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
  /** The server ended the session. Unsent messages and drafts are still on the device. */
  expired: boolean;
}

/** Browser features, passed as arguments so that tests can replace them. */
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
    /** True when the device stores data, so that tabs can share it. */
    persistent: boolean;
  }) => Line;
  /** Stores the account's id, which is not secret. */
  remembered: { get(): string | null; set(id: string | null): void };
  /** True when the server's cookie survives a reload on this address. */
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

  /** Shows the last account from the copy on the device. Returns false when no one is signed in on this device. */
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

  /** Returns false when the user must confirm the email address first. */
  async register(username: string, email: string, password: string): Promise<boolean> {
    const answer = await this.open.register({ username, email, password });
    const { access_token, refresh_token, expires_in } = answer;
    if (access_token == null || refresh_token == null || expires_in == null) return false;
    await this.#take({ ...answer, access_token, refresh_token, expires_in });
    return true;
  }

  /** Signs out and removes the account's data from this device. */
  async signOut(): Promise<void> {
    const { session } = this.store.getState();
    if (session === null) return;
    this.#leaving = session;
    // Without a connection the session stays on the server until the user ends it from another device.
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
    // On sign-out the server closes the connection, perhaps before it answers.
    if (this.store.getState().session !== session || this.#leaving === session) return;
    this.#platform.remembered.set(null);
    this.store.setState({ session: null, expired: true });
    await session.stop();
  }
}
