import type { ClientFrame } from '@/protocol';
import { ABNORMAL_CLOSE, type Transport, type TransportHandlers } from '@/realtime/transport';
import type { FakeServer } from './server';
import type { FakeSocket } from './socket';

/** A connection to the fake server in the test's own process. Frames are copied, as over a real connection. */
export class FakeTransport implements Transport {
  readonly #network: FakeNetwork;
  #handlers: TransportHandlers | null = null;
  #socket: FakeSocket | null = null;

  constructor(network: FakeNetwork) {
    this.#network = network;
  }

  open(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    queueMicrotask(() => {
      if (this.#handlers === null) return;
      if (!this.#network.up) {
        this.#end(ABNORMAL_CLOSE);
        return;
      }
      this.#socket = this.#network.server.connect(
        (frame) => this.#handlers?.received(structuredClone(frame)),
        (code) => this.#end(code),
      );
      this.#network.lines.add(this);
      handlers.opened();
    });
  }

  send(frame: ClientFrame): void {
    const copy = structuredClone(frame);
    // Delivered a moment later, as over a network: an answer never arrives before `send` has returned.
    queueMicrotask(() => {
      if (this.#socket !== null && this.#network.up) this.#network.server.receive(this.#socket, copy);
    });
  }

  close(): void {
    this.cut();
  }

  /** The network fails under the connection. */
  cut(): void {
    if (this.#socket !== null) this.#network.server.sockets.delete(this.#socket);
    this.#end(ABNORMAL_CLOSE);
  }

  #end(code: number): void {
    const handlers = this.#handlers;
    this.#handlers = null;
    this.#socket = null;
    this.#network.lines.delete(this);
    if (handlers !== null) queueMicrotask(() => handlers.closed(code));
  }
}

/** The network between one client and the server, which a test can cut. */
export class FakeNetwork {
  up = true;
  /** Answers of HTTP that the server has given stay on the way until then. */
  slow: Promise<void> | null = null;
  readonly lines = new Set<FakeTransport>();
  readonly server: FakeServer;

  constructor(server: FakeServer) {
    this.server = server;
  }

  transport = (): Transport => new FakeTransport(this);

  goDown(): void {
    this.up = false;
    for (const line of [...this.lines]) line.cut();
  }

  goUp(): void {
    this.up = true;
  }
}
