/**
 * One connection for all tabs of an account: the tab that holds a Web Lock connects and repeats every frame to the
 * others over a BroadcastChannel; they send through it. When it is closed the lock goes to the next, which connects
 * with what is stored.
 */
import type { Clock } from '@/lib/clock';
import { Emitter } from '@/lib/emitter';
import type { Conversation, ServerFrame } from '@/protocol';
import type { ChosenPresence, PendingMessage, UnreadMark, UntoldDraft } from '@/store/state';
import { type OutgoingFrame, RequestError } from './client';
import type { Line } from './link';
import { type ConnectionState, INITIAL } from './machine';

/** What tabs tell each other beside frames: things the server does not repeat to the connection they came from. */
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
  /** Makes this tab's own connection, once it leads. */
  connect: () => Line;
  channel: Channel;
  /** Calls `lead` when this tab holds the lock, and keeps it until the promise of `lead` settles or `signal` aborts. */
  elect: (lead: () => Promise<void>, signal: AbortSignal) => void;
  clock: Clock;
  /** Tells tabs apart. */
  tabId: string;
}

/** The leading tab may be gone without a word. */
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
  /** A leading tab has answered: what is stored is now as fresh as what it shows. */
  readonly welcomed = new Emitter<void>();
  readonly #options: SharedLinkOptions;
  readonly #waiting = new Map<string, Waiting>();
  #state: ConnectionState = INITIAL;
  #own: Line | null = null;
  #election: AbortController | null = null;
  #resign: (() => void) | null = null;
  #expectsWelcome = false;
  /** Another tab has been heard. Each says hello when it starts, so one that has heard nothing is alone. */
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

  /** Ends this tab's part for good. */
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

  /** Begins the connection again without giving up the lead. */
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
      // The others first: what a listener here does in answer must not overtake the frame on its way to them.
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
    // A copy of every frame for nobody would cost more than what is done with the frame.
    if (!this.#company && packet.kind !== 'hello') return;
    this.#options.channel.postMessage(packet);
  }
}
