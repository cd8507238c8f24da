import type { ServerFrame } from '@/protocol';
import type { FakeServer } from './server';

/** One connection as the server sees it. */
export class FakeSocket {
  userId: string | null = null;
  readonly server: FakeServer;
  readonly deliver: (frame: ServerFrame) => void;
  readonly closed: (code: number) => void;

  constructor(server: FakeServer, deliver: (frame: ServerFrame) => void, closed: (code: number) => void) {
    this.server = server;
    this.deliver = deliver;
    this.closed = closed;
  }
}
