/** Access tokens of one signed-in account: kept in memory, renewed before they expire, once for all tabs. */
import type { Clock } from '@/lib/clock';
import type { SignedIn } from '@/protocol';
import { SignedOutError, type Tokens } from '@/realtime/client';
import { ApiError } from './http';

/** A token this close to its expiry is not used any more. */
const MARGIN_MS = 30_000;

export interface CredentialsOptions {
  /** POST /auth/refresh; null uses the cookie. */
  exchange: (refreshToken: string | null) => Promise<SignedIn>;
  /**
   * Stores the refresh token when the cookie cannot survive the page: over plain HTTP, browsers keep a `Secure`
   * cookie only for some loopback names. Null uses the cookie.
   */
  vault: RefreshVault | null;
  /** Runs one at a time over all tabs of the account. */
  exclusively: <T>(run: () => Promise<T>) => Promise<T>;
  clock: Clock;
}

export interface RefreshVault {
  load(): Promise<string | null>;
  save(token: string): Promise<void>;
}

export class Credentials implements Tokens {
  readonly #options: CredentialsOptions;
  #access: { token: string; endsAt: number } | null = null;
  #renewing: Promise<string> | null = null;

  constructor(options: CredentialsOptions) {
    this.#options = options;
  }

  /** Takes over the tokens from registration, login or another tab. */
  async accept(answer: SignedIn): Promise<void> {
    this.adopt(answer.access_token, answer.expires_in);
    await this.#options.vault?.save(answer.refresh_token);
  }

  adopt(token: string, expiresInS: number): void {
    this.#access = { token, endsAt: this.#options.clock.now() + expiresInS * 1000 };
  }

  access(): Promise<string> {
    const { clock } = this.#options;
    if (this.#access !== null && this.#access.endsAt - MARGIN_MS > clock.now()) {
      return Promise.resolve(this.#access.token);
    }
    return this.refresh();
  }

  refresh(): Promise<string> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  #renew(): Promise<string> {
    return this.#options.exclusively(async () => {
      const { vault, exchange } = this.#options;
      const refreshToken = vault === null ? null : await vault.load();
      if (vault !== null && refreshToken === null) throw new SignedOutError('The session has ended.');
      try {
        const answer = await exchange(refreshToken);
        await this.accept(answer);
        return answer.access_token;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) throw new SignedOutError(error.message);
        throw error;
      }
    });
  }
}
