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
  /** Fire and forget; false when there is no connection. */
  notify(frame: OutgoingFrame): boolean;
  /** Rejects with RequestError. */
  request(frame: OutgoingFrame): Promise<ServerFrame>;
}

/** The other tabs of the same account. */
export interface Tabs {
  /** This tab holds the connection, and alone writes frames to the device. */
  readonly leads: boolean;
  readonly notes: Emitter<Note>;
  readonly welcomed: Emitter<void>;
  share(note: Note): void;
}

/** A link that can be told to begin, to end, and what happens around it. */
export interface Line extends Link, Wakeable {
  /** Absent where this tab is alone. */
  readonly tabs?: Tabs;
  start(): void;
  stop(): void;
  /** Begins the connection again, with what `resume` says then. */
  restart(): void;
}
