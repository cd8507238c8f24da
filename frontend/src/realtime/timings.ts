/** Durations of this session: the newest few hundred of each kind, in milliseconds. */
export type TimingKind = 'roundTrip' | 'sendToAck' | 'receiveToPaint';

export interface TimingSummary {
  count: number;
  /** Null while there are no values. */
  p50: number | null;
  p95: number | null;
}

const KEPT = 500;

export class Timings {
  readonly #kept: Record<TimingKind, number[]> = { roundTrip: [], sendToAck: [], receiveToPaint: [] };

  add(kind: TimingKind, ms: number): void {
    const kept = this.#kept[kind];
    kept.push(ms);
    if (kept.length > KEPT) kept.shift();
  }

  summary(kind: TimingKind): TimingSummary {
    const sorted = [...this.#kept[kind]].sort((a, b) => a - b);
    return { count: sorted.length, p50: at(sorted, 0.5), p95: at(sorted, 0.95) };
  }
}

/** The smallest value that at least this share of all values does not exceed. */
function at(sorted: readonly number[], share: number): number | null {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
