import type { Emitter } from '@/lib/emitter';
import type { ServerFrame } from '@/protocol';
import type { OutgoingFrame } from './client';
import type { ConnectionState } from './machine';
import type { Note } from './shared';
import type { Wakeable } from './wake';

/** A connection as the session uses it: this tab's own, or the one another tab holds for all. */
export interface Link {
  readonly frames: Emitter<ServerFrame>;
  readonly states: Emitter<ConnectionState>;
  readonly state: ConnectionState;
  /** Sends without an answer. Returns false when there is no connection. */
  notify(frame: OutgoingFrame): boolean;
  /** Rejects with RequestError. */
  request(frame: OutgoingFrame): Promise<ServerFrame>;
}

/** The other tabs of the same account. */
export interface Tabs {
  /** True when this tab owns the connection and is the only one that stores frames. */
  readonly leads: boolean;
  readonly notes: Emitter<Note>;
  readonly welcomed: Emitter<void>;
  share(note: Note): void;
}

/** A link with its lifecycle and events. */
export interface Line extends Link, Wakeable {
  /** Absent when this is the only tab. */
  readonly tabs?: Tabs;
  start(): void;
  stop(): void;
  /** Reconnects with the current result of `resume`. */
  restart(): void;
}
