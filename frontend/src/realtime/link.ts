import type { Emitter } from '@/lib/emitter';
import type { ServerFrame } from '@/protocol';
import type { OutgoingFrame } from './client';
import type { ConnectionState } from './machine';

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
