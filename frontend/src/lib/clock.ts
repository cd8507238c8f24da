/** Time as an argument, so that tests need not wait. */
export interface Clock {
  /** Returns milliseconds since the epoch. */
  now(): number;
  /** Calls `run` once after `ms`. The returned function cancels it and may be called at any time. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
