import type { ClientFrame, ServerFrame } from '@/protocol';

export interface TransportHandlers {
  opened(): void;
  received(frame: ServerFrame): void;
  /** Called exactly once, whichever side closed; nothing follows it. */
  closed(code: number): void;
}

/**
 * One connection to the server, used once: open, exchange frames, close. Frames arrive in the order they were sent.
 * `send` before `opened` or after `closed` is ignored.
 */
export interface Transport {
  open(handlers: TransportHandlers): void;
  send(frame: ClientFrame): void;
  close(): void;
}

/** The close code when the transport itself gave up. */
export const ABNORMAL_CLOSE = 1006;

const SUBPROTOCOL = 'chat.v1.json';
/** Without a network, a socket would delay its close event for a minute. */
const CLOSE_GRACE_MS = 1_000;

/** The protocol's WebSocket with JSON text frames. */
export class WebSocketTransport implements Transport {
  readonly #url: string;
  #socket: WebSocket | null = null;
  #finish: ((code: number) => void) | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  open(handlers: TransportHandlers): void {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    this.#finish = (code) => {
      this.#finish = null;
      handlers.closed(code);
    };
    socket.onopen = () => handlers.opened();
    socket.onmessage = (event) => {
      const frame = decode(event.data);
      if (frame !== null && this.#finish !== null) handlers.received(frame);
    };
    socket.onclose = (event) => this.#finish?.(event.code);
  }

  send(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    this.#socket?.close(1000);
    setTimeout(() => this.#finish?.(ABNORMAL_CLOSE), CLOSE_GRACE_MS);
  }
}

/** Returns null when the text is not a frame. Unknown types pass, and the reader ignores them. */
function decode(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as ServerFrame) : null;
  } catch {
    return null;
  }
}
