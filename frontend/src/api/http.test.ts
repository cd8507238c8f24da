import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '@/lib/clock';
import type { SignedIn } from '@/protocol';
import { SignedOutError } from '@/realtime/client';
import { Credentials } from './credentials';
import { ApiError, Http, NetworkError } from './http';

function answering(...answers: (Response | Error)[]) {
  const asked: { url: string; token: string | null }[] = [];
  const fetcher: typeof fetch = async (input, init) => {
    asked.push({ url: String(input), token: new Headers(init?.headers).get('authorization') });
    const answer = answers.shift() ?? new Response('{}');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, fetcher };
}

const problem = (status: number, code: string) =>
  new Response(JSON.stringify({ type: 'about:blank', title: 'no', status, code, detail: 'because' }), {
    status,
  });

describe('HTTP', () => {
  it('distinguishes refusals by their code', async () => {
    const { fetcher } = answering(problem(409, 'username_taken'));
    await expect(new Http('/api', null, fetcher).call('/x')).rejects.toMatchObject({
      code: 'username_taken',
      message: 'because',
    });
  });

  it.each([
    [new Response('<h1>Bad gateway</h1>', { status: 502 }), 'internal'],
    [new Response('', { status: 500 }), 'internal'],
    [new Response('<html></html>', { status: 200 }), 'internal'],
    [new Response('slow down', { status: 429, headers: { 'retry-after': '2' } }), 'rate_limited'],
    [new Response('null', { status: 400 }), 'internal'],
  ])('handles a response that is not a problem document', async (answer, code) => {
    const { fetcher } = answering(answer);
    const error = await new Http('/api', null, fetcher)
      .call('/x', { method: 'POST' })
      .catch((one: unknown) => one);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code });
  });

  it('returns how long to wait, in milliseconds when the server sends them', async () => {
    const body = JSON.stringify({ code: 'rate_limited', retry_after_ms: 61_500 });
    const { fetcher } = answering(new Response(body, { status: 429, headers: { 'retry-after': '62' } }));
    const asking = new Http('/api', null, fetcher).call('/x', { method: 'POST' });
    await expect(asking).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 61_500 });
  });

  it('waits and retries reading requests, and never sends any other request twice', async () => {
    vi.useFakeTimers();
    const limited = () =>
      new Response(JSON.stringify({ code: 'rate_limited', retry_after_ms: 2_000 }), { status: 429 });
    const reading = answering(limited(), new Response('{"ok":true}'));
    const answer = new Http('/api', null, reading.fetcher).call('/x');
    await vi.advanceTimersByTimeAsync(1_900);
    expect(reading.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    await expect(answer).resolves.toEqual({ ok: true });
    const writing = answering(limited());
    await expect(new Http('/api', null, writing.fetcher).call('/x', { method: 'PUT' })).rejects.toThrow();
    expect(writing.asked).toHaveLength(1);
    vi.useRealTimers();
  });

  it('distinguishes a missing network from a refusal', async () => {
    const { fetcher } = answering(new TypeError('failed'));
    await expect(new Http('/api', null, fetcher).call('/x')).rejects.toBeInstanceOf(NetworkError);
  });

  it('retries once with a fresh token', async () => {
    const { asked, fetcher } = answering(problem(401, 'token_expired'), new Response('{"ok":true}'));
    const tokens = { access: async () => 'old', refresh: async () => 'new' };
    await expect(new Http('/api', tokens, fetcher).call('/x')).resolves.toEqual({ ok: true });
    expect(asked.map((one) => one.token)).toEqual(['Bearer old', 'Bearer new']);
  });
});

describe('credentials', () => {
  const answer = (n: number) =>
    ({
      user: {},
      access_token: `access ${n}`,
      refresh_token: `refresh ${n}`,
      expires_in: 900,
    }) as unknown as SignedIn;

  it('refresh once for many concurrent callers', async () => {
    let exchanges = 0;
    let stored: string | null = 'refresh 0';
    const credentials = new Credentials({
      exchange: async (token) => {
        exchanges += 1;
        expect(token).toBe('refresh 0');
        return answer(exchanges);
      },
      vault: {
        load: async () => stored,
        save: async (token) => {
          stored = token;
        },
      },
      exclusively: (run) => run(),
      clock: systemClock,
    });
    expect(await Promise.all([credentials.access(), credentials.access(), credentials.refresh()])).toEqual([
      'access 1',
      'access 1',
      'access 1',
    ]);
    expect(exchanges).toBe(1);
    expect(stored).toBe('refresh 1');
    expect(await credentials.access()).toBe('access 1');
  });

  it('distinguish a session that ended from a server that is busy', async () => {
    const make = (error: Error) =>
      new Credentials({
        exchange: () => Promise.reject(error),
        vault: null,
        exclusively: (run) => run(),
        clock: systemClock,
      });
    await expect(make(new ApiError(401, { code: 'unauthenticated' })).access()).rejects.toBeInstanceOf(
      SignedOutError,
    );
    await expect(make(new ApiError(503, { code: 'unavailable' })).access()).rejects.toBeInstanceOf(ApiError);
  });
});
