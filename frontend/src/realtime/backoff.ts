/** First attempt within half a second, later ones within 30 s. */
const BASE_MS = 500;
const CAP_MS = 30_000;
/** A server that names a delay names it to all its clients; this spreads them out. */
const SPREAD_MS = 1_000;

/**
 * Full jitter: between zero and the exponential bound, so that clients which lost the same server do not reconnect
 * at the same time. `attempt` counts from 0; `random` returns [0, 1).
 */
export function backoff(attempt: number, random: () => number): number {
  return Math.round(random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 16)));
}

/** The server's requested delay plus jitter, never less. */
export function afterServersWish(wishMs: number, random: () => number): number {
  return Math.round(wishMs + random() * SPREAD_MS);
}
