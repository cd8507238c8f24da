/**
 * The connection to the server, without React and without storage. It stays connected, catches up, resolves requests
 * and emits received frames. It does not interpret them.
 */
import type { Clock } from '@/lib/clock';
import { Emitter } from '@/lib/emitter';
import { type ClientFrame, CloseCode, type Ready, type ServerFrame } from '@/protocol';
import { type ConnectionEvent, type ConnectionState, type Effect, INITIAL, transition } from './machine';
import type { Transport } from './transport';

/** No credentials are available: the session ended. */
export class SignedOutError extends Error {
  override name = 'SignedOutError';
}

/** A request without a result: it was refused (`code` of the protocol) or the connection was lost. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, detail: string, retryAfterMs?: number) {
    super(detail);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The source of access tokens. Both methods throw `SignedOutError` permanently, any other error temporarily. */
export interface Tokens {
  /** Returns a token that is probably still valid. */
  access(): Promise<string>;
  /** Returns a token that is newer than every earlier one. */
  refresh(): Promise<string>;
}

/** What this device already has; called at every connect. */
export interface Resume {
  known: Record<string, number>;
  epoch: string | null;
}

export interface RealtimeClientOptions {
  transport: () => Transport;
  tokens: Tokens;
  resume: () => Promise<Resume>;
  clock: Clock;
  /** [0, 1) */
  random: () => number;
  deviceId: string;
}

type WithoutRef<T> = T extends unknown ? Omit<T, 'ref'> : never;
export type OutgoingFrame = WithoutRef<Exclude<ClientFrame, { type: 'connect' }>>;

/** The server answers a `connect` immediately; a connection without an answer is dead. */
const READY_TIMEOUT_MS = 15_000;
const PROBE_TIMEOUT_MS = 4_000;
const DEFAULT_HEARTBEAT_S = 30;

interface Waiting {
  resolve(frame: ServerFrame): void;
  reject(error: RequestError): void;
}

export class RealtimeClient {
  readonly frames = new Emitter<ServerFrame>();
  readonly states = new Emitter<ConnectionState>();
  readonly #options: RealtimeClientOptions;
  readonly #waiting = new Map<string, Waiting>();
  #state: ConnectionState = INITIAL;
  #transport: Transport | null = null;
  #cancelWait: (() => void) | null = null;
  #cancelHeartbeat: (() => void) | null = null;
  #cancelProbe: (() => void) | null = null;
  #heartbeatMs = DEFAULT_HEARTBEAT_S * 1000;
  #wishMs: number | undefined;
  #nextRef = 1;

  constructor(options: RealtimeClientOptions) {
    this.#options = options;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects and reconnects until `stop`, or until the close code forbids it. */
  start(): void {
    this.#apply({ name: 'start' });
  }

  stop(): void {
    this.#apply({ name: 'stop' });
  }

  restart(): void {
    this.stop();
    this.start();
  }

  networkChanged(online: boolean): void {
    this.#apply({ name: online ? 'network_up' : 'network_down' });
  }

  /** Call when the machine woke up or the page became visible again. */
  woke(): void {
    this.#apply({ name: 'woke' });
  }

  /** Sends a frame without an answer. Returns false when there is no connection; the frame is then dropped. */
  notify(frame: OutgoingFrame): boolean {
    if (this.#state.name !== 'connected' || this.#transport === null) return false;
    this.#transport.send(frame as ClientFrame);
    return true;
  }

  /** Sends and resolves with the answer. Rejects with `RequestError` (`connection_lost` when the result is unknown). */
  request(frame: OutgoingFrame): Promise<ServerFrame> {
    return new Promise((resolve, reject) => {
      const transport = this.#transport;
      if (this.#state.name !== 'connected' || transport === null) {
        reject(new RequestError('connection_lost', 'There is no connection.'));
        return;
      }
      const ref = String(this.#nextRef++);
      this.#waiting.set(ref, { resolve, reject });
      transport.send({ ...frame, ref } as ClientFrame);
    });
  }

  #apply(event: ConnectionEvent): void {
    const before = this.#state;
    const [state, effects] = transition(before, event, this.#options.random);
    this.#state = state;
    if (state.name !== 'connected') this.#loseRequests();
    for (const effect of effects) this.#perform(effect);
    if (state !== before) this.states.emit(state);
  }

  #perform(effect: Effect): void {
    switch (effect.name) {
      case 'dial':
        void this.#dial(effect.freshToken);
        return;
      case 'hang_up':
        this.#hangUp();
        return;
      case 'wait':
        this.#cancelWait?.();
        this.#cancelWait = this.#options.clock.after(effect.ms, () => this.#apply({ name: 'elapsed' }));
        return;
      case 'cancel_wait':
        this.#cancelWait?.();
        this.#cancelWait = null;
        return;
      case 'probe':
        this.#probe();
        return;
    }
  }

  async #dial(freshToken: boolean): Promise<void> {
    const attempt = this.#state;
    const stillWanted = () => this.#state === attempt;
    let token: string;
    let resume: Resume;
    try {
      const { tokens } = this.#options;
      [token, resume] = await Promise.all([
        freshToken ? tokens.refresh() : tokens.access(),
        this.#options.resume(),
      ]);
    } catch (error) {
      if (!stillWanted()) return;
      this.#apply(
        error instanceof SignedOutError ? { name: 'refused' } : { name: 'lost', code: CloseCode.internal },
      );
      return;
    }
    if (stillWanted()) this.#connect(token, resume);
  }

  #connect(token: string, { known, epoch }: Resume): void {
    const transport = this.#options.transport();
    this.#transport = transport;
    this.#wishMs = undefined;
    // Frames of an abandoned connection must not be taken for those of its successor.
    const current = () => this.#transport === transport;
    this.#expectWithin(READY_TIMEOUT_MS);
    transport.open({
      opened: () => {
        if (!current()) return;
        const resume = epoch === null ? {} : { known, epoch };
        transport.send({ type: 'connect', token, device_id: this.#options.deviceId, ...resume });
      },
      received: (frame) => {
        if (current()) this.#receive(frame);
      },
      closed: (code) => {
        if (!current()) return;
        this.#forgetTransport();
        this.#apply({ name: 'lost', code, reconnectAfterMs: this.#wishMs });
      },
    });
  }

  #receive(frame: ServerFrame): void {
    this.#cancelProbe?.();
    this.#cancelProbe = null;
    this.#scheduleHeartbeat();
    if (frame.type === 'bye') this.#wishMs = frame.reconnect_after_ms;
    // `connect` was refused, for example after too many: the server names a delay and closes.
    if (frame.type === 'error' && this.#state.name === 'connecting') this.#wishMs = frame.retry_after_ms;
    if (frame.type === 'token.expiring') void this.#renewToken();
    if (frame.type === 'ready') this.#heartbeatMs = heartbeatOf(frame);
    // The state first: a listener of `ready` may want to send immediately.
    if (frame.type === 'ready') this.#apply({ name: 'ready' });
    this.frames.emit(frame);
    if (frame.type === 'drained') this.#apply({ name: 'drained' });
    this.#settle(frame);
  }

  #settle(frame: ServerFrame): void {
    const ref = 'ref' in frame && frame.ref != null ? String(frame.ref) : null;
    const waiting = ref === null ? undefined : this.#waiting.get(ref);
    if (ref === null || waiting === undefined) return;
    this.#waiting.delete(ref);
    if (frame.type === 'error')
      waiting.reject(new RequestError(frame.code, frame.detail, frame.retry_after_ms));
    else waiting.resolve(frame);
  }

  async #renewToken(): Promise<void> {
    try {
      const token = await this.#options.tokens.refresh();
      await this.request({ type: 'token', token });
    } catch (error) {
      // Any other error ends in close 4401, which requests a fresh token again.
      if (error instanceof SignedOutError) this.#apply({ name: 'refused' });
    }
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = this.#options.clock.after(this.#heartbeatMs, () => this.#probe());
  }

  /** Browsers hide the protocol's own pings, so a silent connection is checked with a `ping` frame. */
  #probe(): void {
    if (this.#transport === null || this.#cancelProbe !== null) return;
    this.#transport.send({ type: 'ping' });
    this.#expectWithin(PROBE_TIMEOUT_MS);
  }

  /** Any frame counts as an answer; silence means that the connection is dead. */
  #expectWithin(ms: number): void {
    this.#cancelProbe?.();
    this.#cancelProbe = this.#options.clock.after(ms, () => {
      this.#hangUp();
      this.#apply({ name: 'lost', code: CloseCode.internal });
    });
  }

  #hangUp(): void {
    const transport = this.#transport;
    this.#forgetTransport();
    transport?.close();
  }

  #forgetTransport(): void {
    this.#transport = null;
    this.#cancelHeartbeat?.();
    this.#cancelProbe?.();
    this.#cancelHeartbeat = null;
    this.#cancelProbe = null;
    this.#loseRequests();
  }

  #loseRequests(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.reject(new RequestError('connection_lost', 'The connection was lost.'));
  }
}

function heartbeatOf(ready: Ready): number {
  return Math.max(1, ready.heartbeat_s) * 1000;
}
