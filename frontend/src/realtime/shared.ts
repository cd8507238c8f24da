/**
 * One connection for all tabs of an account: the tab that holds a Web Lock (the leader) connects and repeats every
 * frame to the others over a BroadcastChannel; they send through it. When it closes, the next tab gets the lock and
 * connects with what is stored.
 */
import type { Clock } from '@/lib/clock';
import { Emitter } from '@/lib/emitter';
import type { Conversation, ServerFrame } from '@/protocol';
import type { ChosenPresence, PendingMessage, UnreadMark, UntoldDraft } from '@/store/state';
import { type OutgoingFrame, RequestError } from './client';
import type { Line } from './link';
import { type ConnectionState, INITIAL } from './machine';

/** Messages between tabs beside frames: changes that the server does not repeat to the connection they came from. */
export type Note =
  | { kind: 'pending'; record: PendingMessage }
  | { kind: 'pending_gone'; clientMessageId: string; conversationId: string }
  | { kind: 'conversations'; conversations: Conversation[] }
  | { kind: 'read'; conversationId: string; seq: number }
  | { kind: 'unread_from'; conversationId: string; mark: UnreadMark | null }
  | { kind: 'draft'; conversationId: string; text: string; untold: UntoldDraft }
  | { kind: 'presence'; state: ChosenPresence };

type Packet =
  | { kind: 'hello' }
  | { kind: 'state'; state: ConnectionState }
  | { kind: 'frame'; frame: ServerFrame }
  | { kind: 'notify'; frame: OutgoingFrame }
  | { kind: 'request'; id: string; frame: OutgoingFrame }
  | { kind: 'answer'; id: string; frame: ServerFrame }
  | { kind: 'refusal'; id: string; code: string; detail: string; retryAfterMs?: number }
  | { kind: 'note'; note: Note };

/** The part of BroadcastChannel that is used. */
export interface Channel {
  postMessage(packet: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  close(): void;
}

export interface SharedLinkOptions {
  /** Creates this tab's own connection when it becomes the leader. */
  connect: () => Line;
  channel: Channel;
  /** Calls `lead` when this tab gets the lock, and holds it until the promise of `lead` settles or `signal` aborts. */
  elect: (lead: () => Promise<void>, signal: AbortSignal) => void;
  clock: Clock;
  /** Identifies a tab. */
  tabId: string;
}

/** The leader may be gone without notice. */
const ANSWER_TIMEOUT_MS = 20_000;

interface Waiting {
  resolve(frame: ServerFrame): void;
  reject(error: RequestError): void;
  cancel(): void;
}

export class SharedLink implements Line {
  readonly frames = new Emitter<ServerFrame>();
  readonly states = new Emitter<ConnectionState>();
  readonly notes = new Emitter<Note>();
  /** The leader has answered: what is stored is now as recent as what it shows. */
  readonly welcomed = new Emitter<void>();
  readonly #options: SharedLinkOptions;
  readonly #waiting = new Map<string, Waiting>();
  #state: ConnectionState = INITIAL;
  #own: Line | null = null;
  #election: AbortController | null = null;
  #resign: (() => void) | null = null;
  #expectsWelcome = false;
  /** Another tab was detected. Each sends `hello` when it starts, so without one this tab is alone. */
  #company = false;
  #next = 1;

  constructor(options: SharedLinkOptions) {
    this.#options = options;
    options.channel.onmessage = (event) => this.#hear(event.data as Packet);
  }

  get state(): ConnectionState {
    return this.#own?.state ?? this.#state;
  }

  get leads(): boolean {
    return this.#own !== null;
  }

  get tabs(): this {
    return this;
  }

  start(): void {
    if (this.#own !== null) {
      this.#own.start();
      return;
    }
    if (this.#election !== null) return;
    this.#election = new AbortController();
    this.#expectsWelcome = true;
    this.#post({ kind: 'hello' });
    this.#options.elect(() => this.#lead(), this.#election.signal);
  }

  /** Ends this tab's part permanently. */
  stop(): void {
    this.#election?.abort();
    this.#election = null;
    this.#own?.stop();
    this.#own = null;
    this.#resign?.();
    this.#resign = null;
    this.#fail();
    this.#options.channel.close();
  }

  /** Reconnects and stays the leader. */
  restart(): void {
    this.#own?.stop();
    this.#own?.start();
  }

  networkChanged(online: boolean): void {
    this.#own?.networkChanged(online);
  }

  woke(): void {
    this.#own?.woke();
  }

  share(note: Note): void {
    this.#post({ kind: 'note', note });
  }

  notify(frame: OutgoingFrame): boolean {
    if (this.#own !== null) return this.#own.notify(frame);
    if (this.#state.name !== 'connected') return false;
    this.#post({ kind: 'notify', frame });
    return true;
  }

  request(frame: OutgoingFrame): Promise<ServerFrame> {
    if (this.#own !== null) return this.#own.request(frame);
    return new Promise((resolve, reject) => {
      if (this.#state.name !== 'connected') {
        reject(new RequestError('connection_lost', 'There is no connection.'));
        return;
      }
      const id = `${this.#options.tabId}:${this.#next++}`;
      const cancel = this.#options.clock.after(ANSWER_TIMEOUT_MS, () => {
        this.#waiting.delete(id);
        reject(new RequestError('connection_lost', 'The other tab does not answer.'));
      });
      this.#waiting.set(id, { resolve, reject, cancel });
      this.#post({ kind: 'request', id, frame });
    });
  }

  #lead(): Promise<void> {
    if (this.#election === null) return Promise.resolve();
    const own = this.#options.connect();
    this.#own = own;
    this.#expectsWelcome = false;
    this.#fail();
    own.frames.on((frame) => {
      // The other tabs first: frames sent by a listener here must not overtake this one.
      this.#post({ kind: 'frame', frame });
      this.frames.emit(frame);
    });
    own.states.on((state) => {
      this.#post({ kind: 'state', state });
      this.states.emit(state);
    });
    own.start();
    return new Promise((resolve) => {
      this.#resign = resolve;
    });
  }

  #hear(packet: Packet): void {
    this.#company = true;
    if (packet.kind === 'note') {
      this.notes.emit(packet.note);
      return;
    }
    if (this.#own === null) this.#follow(packet);
    else this.#serve(this.#own, packet);
  }

  #follow(packet: Packet): void {
    switch (packet.kind) {
      case 'frame':
        this.frames.emit(packet.frame);
        return;
      case 'state':
        this.#state = packet.state;
        if (packet.state.name !== 'connected') this.#fail();
        if (this.#expectsWelcome) {
          this.#expectsWelcome = false;
          this.welcomed.emit();
        }
        this.states.emit(packet.state);
        return;
      case 'answer':
        this.#settle(packet.id)?.resolve(packet.frame);
        return;
      case 'refusal':
        this.#settle(packet.id)?.reject(new RequestError(packet.code, packet.detail, packet.retryAfterMs));
        return;
    }
  }

  #serve(own: Line, packet: Packet): void {
    switch (packet.kind) {
      case 'hello':
        this.#post({ kind: 'state', state: own.state });
        return;
      case 'notify':
        own.notify(packet.frame);
        return;
      case 'request':
        own.request(packet.frame).then(
          (frame) => this.#post({ kind: 'answer', id: packet.id, frame }),
          (error: RequestError) =>
            this.#post({
              kind: 'refusal',
              id: packet.id,
              code: error.code,
              detail: error.message,
              retryAfterMs: error.retryAfterMs,
            }),
        );
        return;
    }
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.cancel();
    return waiting;
  }

  #fail(): void {
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id)?.reject(new RequestError('connection_lost', 'The connection was lost.'));
    }
  }

  #post(packet: Packet): void {
    // Without other tabs, a copy of every frame would cost more than its processing.
    if (!this.#company && packet.kind !== 'hello') return;
    this.#options.channel.postMessage(packet);
  }
}
