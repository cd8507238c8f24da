/** Turns frames into state and storage, and keeps what `known` promises to the server true. */
import type { Api } from '@/api/endpoints';
import type { Clock } from '@/lib/clock';
import type { ChatDb } from '@/offline/db';
import type { Conversation, Message, Ready, ServerFrame } from '@/protocol';
import type { Resume } from '@/realtime/client';
import { joinPage, newer } from '@/store/messages';
import type { Changes, ChatStore } from '@/store/store';
import type { Persister } from './persister';

const PAGE = 50;
/** While catching up, what arrives within this time is one change of the page. */
const GATHER_MS = 50;
/** Changed messages are remembered this long to correct pages that were fetched before the change. */
const RECENT_LIMIT = 500;
/** The protocol's bound for `known`; the server takes no `connect` with more. */
const MOST_KNOWN = 3_000;

export interface SyncOptions {
  store: ChatStore;
  changes: Changes;
  db: ChatDb;
  api: Api;
  persister: Persister;
  clock: Clock;
  /** Begin the connection again, because what is known was thrown away. */
  reconnect: () => void;
  /** This tab writes for all: only one may, or `known` could run ahead of what is stored. */
  writes: () => boolean;
}

export class Sync {
  readonly #options: SyncOptions;
  readonly #recent = new Map<string, Message>();
  #epoch: string | null = null;
  #sentKnown = false;
  /** Between finding out that the copy is worthless and the next connect: what still arrives is not looked at. */
  #startingOver = false;
  /** Between `ready` and `drained` messages come in hundreds: they are shown together, not one by one. */
  #catchingUp = false;
  /** The server goes on from `known`. */
  #recovered = false;
  #gathered: ServerFrame[] = [];
  /** While catching up: what `known` becomes at `drained`. */
  #pending: Record<string, number> | null = null;

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  /** What this device has, for `connect`: of more conversations than the server takes those with the latest activity. */
  async resume(): Promise<Resume> {
    const { db, persister, store } = this.#options;
    await persister.flush();
    persister.catchUp();
    this.#startingOver = false;
    const [known, epoch] = await Promise.all([db.known(), db.getMeta<string>('epoch')]);
    this.#sentKnown = epoch !== undefined;
    return { known: latestOf(known, store.getState().conversations, MOST_KNOWN), epoch: epoch ?? null };
  }

  /** False for a frame that belongs to a copy which is being thrown away. */
  handle(frame: ServerFrame): boolean {
    const { changes, clock, store } = this.#options;
    if (this.#startingOver) return false;
    if (frame.type === 'ready' && this.#sentKnown && !frame.recovered) {
      this.#sentKnown = false;
      this.#startingOver = true;
      void this.#startOver();
      return false;
    }
    if (frame.type === 'ready') {
      this.#catchingUp = true;
      this.#recovered = frame.recovered;
    }
    if (this.#catchingUp && this.#recovered && frame.type === 'conversation.joined') {
      this.#beginAnew(frame.conversation);
    }
    if (this.#catchingUp && (frame.type === 'message.new' || frame.type === 'message.changed')) {
      this.#gather(frame);
    } else {
      if (frame.type === 'drained') this.#catchingUp = false;
      this.#show();
      const before = Object.keys(store.getState().conversations);
      changes.frames([frame], clock.now());
      if (this.#options.writes()) this.#record(frame, before);
    }
    if (frame.type === 'conversation.reset') {
      // When this fails, opening the conversation asks again.
      void this.fetchNewest(frame.conversation_id).catch(() => undefined);
    }
    return true;
  }

  /** `known` lacked it, so nobody tells what changed in it meanwhile: what is here of it goes. */
  #beginAnew({ id, rev, last_seq }: Conversation): void {
    const { changes, clock, store, writes } = this.#options;
    const shown = store.getState().windows[id] !== undefined;
    const reset: ServerFrame = { type: 'conversation.reset', conversation_id: id, rev, last_seq };
    changes.frames([reset], clock.now());
    if (writes()) this.#record(reset, []);
    if (shown) void this.fetchNewest(id).catch(() => undefined);
  }

  #gather(frame: ServerFrame): void {
    if (this.#gathered.length === 0) this.#options.clock.after(GATHER_MS, () => this.#show());
    this.#gathered.push(frame);
    if (this.#options.writes()) this.#record(frame, []);
  }

  #show(): void {
    if (this.#gathered.length === 0) return;
    const frames = this.#gathered;
    this.#gathered = [];
    this.#options.changes.frames(frames, this.#options.clock.now());
  }

  #record(frame: ServerFrame, before: string[]): void {
    const { persister, store } = this.#options;
    switch (frame.type) {
      case 'ready':
        this.#beginCatchingUp(frame, before);
        return;
      case 'drained':
        this.#endCatchingUp();
        return;
      case 'message.ack': {
        const own = store
          .getState()
          .windows[frame.conversation_id]?.items.find(
            (one) => one.client_message_id === frame.client_message_id,
          );
        if (own !== undefined) this.#arrived(own);
        return;
      }
      case 'message.new':
      case 'message.changed':
      case 'message.edited':
      case 'message.deleted':
      case 'message.reaction':
      case 'message.pinned':
        this.#arrived(frame.message);
        return;
      case 'conversation.reset':
        persister.reset(frame.conversation_id);
        if (this.#pending !== null) this.#pending[frame.conversation_id] = frame.rev;
        return;
      case 'conversation.joined':
        persister.conversation(frame.conversation.id);
        persister.people();
        if (this.#pending === null) persister.known(frame.conversation.id, frame.conversation.rev);
        return;
      case 'conversation.updated':
        persister.conversation(frame.conversation.id);
        return;
      case 'conversation.left':
        persister.left(frame.conversation_id);
        if (this.#pending !== null) delete this.#pending[frame.conversation_id];
        return;
      case 'receipt':
      case 'member.joined':
      case 'member.left':
        persister.conversation(frame.conversation_id);
        return;
      default:
        // Nothing of it is kept on the device.
        return;
    }
  }

  #arrived(message: Message): void {
    const { persister } = this.#options;
    persister.message(message);
    this.#remember(message);
    // While catching up no frame raises what is known: a connection lost half-way must begin again from before.
    if (this.#pending === null) persister.known(message.conversation_id, message.rev);
  }

  #remember(message: Message): void {
    this.#recent.delete(message.id);
    this.#recent.set(message.id, message);
    if (this.#recent.size > RECENT_LIMIT) {
      const oldest = this.#recent.keys().next().value;
      if (oldest !== undefined) this.#recent.delete(oldest);
    }
  }

  #beginCatchingUp(ready: Ready, before: string[]): void {
    const { persister } = this.#options;
    this.#epoch = ready.epoch;
    this.#pending = Object.fromEntries(ready.conversations.map((line) => [line.id, line.rev]));
    for (const id of before) if (this.#pending[id] === undefined) persister.left(id);
    for (const line of ready.conversations) persister.conversation(line.id);
  }

  #endCatchingUp(): void {
    const { persister, db } = this.#options;
    for (const [id, rev] of Object.entries(this.#pending ?? {})) persister.known(id, rev);
    this.#pending = null;
    const epoch = this.#epoch;
    // After the messages, never before: an epoch without its messages would claim what is not there.
    void persister.flush().then(() => db.putMeta('epoch', epoch));
  }

  /** The server does not recognise what we know: it may be another database. */
  async #startOver(): Promise<void> {
    const { persister, store, reconnect } = this.#options;
    await persister.flush();
    await this.forgetAll();
    store.setState({ conversations: {}, windows: {}, members: {} });
    reconnect();
  }

  /** What the device keeps of the server is worth nothing: the next connect begins without it. */
  async forgetAll(): Promise<void> {
    const { db } = this.#options;
    await db.dropCache();
    await db.putMeta('epoch', undefined);
  }

  /** Puts a fetched page into the window and on the device; what frames brought meanwhile wins. */
  takePage(
    conversationId: string,
    page: Message[],
    place: 'join' | 'replace',
    marks: { atStart?: boolean; atEnd?: boolean } = {},
  ): void {
    const { changes, db } = this.#options;
    const fresh = page.map((message) => newer(this.#recent.get(message.id), message));
    if (fresh.length > 0) void db.write({ messages: fresh }).catch(() => undefined);
    changes.window(conversationId, (window) => {
      const base = place === 'replace' ? { items: [], atStart: false, atEnd: false } : window;
      return { ...joinPage(base, fresh), ...marks };
    });
  }

  async fetchNewest(conversationId: string): Promise<void> {
    const { api, store } = this.#options;
    const page = await api.history(conversationId, { limit: PAGE });
    const window = store.getState().windows[conversationId];
    if (window !== undefined && !window.atEnd) return;
    this.takePage(conversationId, page, 'join', {
      atEnd: true,
      ...(page.length < PAGE ? { atStart: true } : {}),
    });
  }

  /** Stores the newest page of conversations that were never opened here, so that they can be read offline. */
  async prefetch(signal: AbortSignal): Promise<void> {
    const { api, db, store } = this.#options;
    for (const conversation of Object.values(store.getState().conversations)) {
      if (signal.aborted) return;
      const wanted = Math.min(PAGE, conversation.last_seq - conversation.me.joined_seq);
      const stored = await db.messages(conversation.id, PAGE);
      if (stored.length >= wanted) continue;
      const page = await api.history(conversation.id, { limit: PAGE }, signal);
      const fresh = page.map((message) => newer(this.#recent.get(message.id), message));
      await db.write({ messages: fresh });
    }
  }
}

/** At most `most` entries of `known`: those of the conversations with the latest activity. */
export function latestOf(
  known: Record<string, number>,
  conversations: Record<string, Conversation>,
  most: number,
): Record<string, number> {
  const all = Object.entries(known);
  if (all.length <= most) return known;
  const activity = (id: string) =>
    conversations[id]?.last_message?.created_at ?? conversations[id]?.created_at ?? '';
  all.sort(([a], [b]) => activity(b).localeCompare(activity(a)));
  return Object.fromEntries(all.slice(0, most));
}
