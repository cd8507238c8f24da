import type { ClientFrame, ServerFrame } from '@/protocol';

export interface TransportHandlers {
  opened(): void;
  received(frame: ServerFrame): void;
  /** Called exactly once, whoever closed; nothing follows it. */
  closed(code: number): void;
}

/**
 * One line to the server, used once: opened, talked over, closed. Frames arrive in the order they were sent.
 * `send` before `opened` or after `closed` is ignored.
 */
export interface Transport {
  open(handlers: TransportHandlers): void;
  send(frame: ClientFrame): void;
  close(): void;
}

/** What a transport reports when it gave up by itself. */
export const ABNORMAL_CLOSE = 1006;

const SUBPROTOCOL = 'chat.v1.json';
/** A socket that cannot say goodbye (no network) would keep its close event for a minute. */
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

/** Null for what is no frame at all; frames of unknown types pass, and the one who reads them ignores them. */
function decode(data: unknown): ServerFrame | null {
  if (typeof data !== 'string') return null;
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as ServerFrame) : null;
  } catch {
    return null;
  }
}
