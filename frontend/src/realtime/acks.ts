import type { Clock } from '@/lib/clock';

/** The protocol asks for at most one confirmation of a conversation in 100 ms. */
const GATHER_MS = 100;

/**
 * Combines received messages into one cumulative confirmation for each conversation. `send` returns whether it was
 * sent; others are dropped, because the server repeats the messages at the next connect and they are confirmed then.
 */
export class Acknowledger {
  readonly #clock: Clock;
  readonly #send: (conversationId: string, seq: number) => void;
  readonly #highest = new Map<string, number>();
  #scheduled = false;

  constructor(clock: Clock, send: (conversationId: string, seq: number) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** This device has everything in the conversation up to `seq`. */
  add(conversationId: string, seq: number): void {
    this.#highest.set(conversationId, Math.max(seq, this.#highest.get(conversationId) ?? 0));
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(GATHER_MS, () => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    const due = [...this.#highest];
    this.#highest.clear();
    for (const [conversationId, seq] of due) this.#send(conversationId, seq);
  }
}
