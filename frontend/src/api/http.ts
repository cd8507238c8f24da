/** HTTP client for the server's API: JSON, problem documents, one retry with a fresh token. */
import type { Problem } from '@/protocol';
import type { Tokens } from '@/realtime/client';

/** A refusal. `code` is the protocol's; `internal` for a response that is not a problem document (a proxy's page). */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly errors: { field: string; detail: string }[];
  readonly retryAfterMs: number | undefined;

  constructor(status: number, problem: Partial<Problem>, retryAfterMs?: number) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.code =
      problem.code ?? (status === 401 ? 'unauthenticated' : status === 429 ? 'rate_limited' : 'internal');
    this.errors = problem.errors ?? [];
    this.retryAfterMs = retryAfterMs;
  }
}

/** An expired token, a body that did not arrive in time, or too many requests: a retry may succeed. */
const PASSING = new Set([401, 408, 429]);

/** The server gives the same answer to a retry. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && !PASSING.has(error.status);
}

/** A reading request waits up to this long and retries by itself; the user would do the same. */
const MOST_PATIENCE_MS = 10_000;

/** No response at all. */
export class NetworkError extends Error {
  override name = 'NetworkError';
}

export type Query = Record<string, string | number | undefined>;

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
}

export class Http {
  readonly #base: string;
  readonly #tokens: Tokens | null;
  readonly #fetch: typeof fetch;

  /** `base` ends in `/api/v1`; without `tokens` only open calls can be made. */
  constructor(
    base: string,
    tokens: Tokens | null = null,
    fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {
    this.#base = base;
    this.#tokens = tokens;
    this.#fetch = fetcher;
  }

  /** Resolves with the decoded response (undefined for 204); throws ApiError or NetworkError. */
  async call<T>(path: string, call: Call = {}): Promise<T> {
    try {
      return await this.#authorized<T>(path, call);
    } catch (error) {
      const reads = call.method === undefined || call.method === 'GET';
      const wait =
        error instanceof ApiError && error.code === 'rate_limited' ? error.retryAfterMs : undefined;
      if (!reads || wait === undefined || wait > MOST_PATIENCE_MS) throw error;
      await pause(wait, call.signal);
      return this.#authorized<T>(path, call);
    }
  }

  async #authorized<T>(path: string, call: Call): Promise<T> {
    if (this.#tokens === null) return this.#once<T>(path, call, null);
    try {
      return await this.#once<T>(path, call, await this.#tokens.access());
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      return this.#once<T>(path, call, await this.#tokens.refresh());
    }
  }

  async #once<T>(path: string, call: Call, token: string | null): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (token !== null) headers.authorization = `Bearer ${token}`;
    let body: string | undefined;
    if (call.body !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(call.body);
    }
    let response: Response;
    try {
      response = await this.#fetch(this.#base + path + queryString(call.query), {
        method: call.method ?? 'GET',
        headers,
        body,
        signal: call.signal,
        credentials: 'same-origin',
      });
    } catch (error) {
      if (call.signal?.aborted) throw error;
      throw new NetworkError('Cannot reach the server.');
    }
    if (!response.ok) throw await toApiError(response);
    if (response.status === 204 || response.status === 202) return undefined as T;
    try {
      return (await response.json()) as T;
    } catch {
      throw new ApiError(response.status, { detail: 'The answer was not JSON.' });
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function queryString(query: Query = {}): string {
  const given = Object.entries(query).filter(
    (pair): pair is [string, string | number] => pair[1] !== undefined,
  );
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}

/** More exact than the header, which counts whole seconds. */
type WaitingProblem = Partial<Problem> & { retry_after_ms?: number };

async function toApiError(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('retry-after'));
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  try {
    const answer: unknown = await response.json();
    const problem = typeof answer === 'object' && answer !== null ? (answer as WaitingProblem) : {};
    return new ApiError(response.status, problem, problem.retry_after_ms ?? retryAfterMs);
  } catch {
    return new ApiError(response.status, {}, retryAfterMs);
  }
}
