/** Applies frames to the state and the storage, and keeps `known` consistent with what is stored. */
import type { Api } from '@/api/endpoints';
import type { Clock } from '@/lib/clock';
import type { ChatDb } from '@/offline/db';
import type { Conversation, Message, Ready, ReadyConversations, ServerFrame } from '@/protocol';
import type { Resume } from '@/realtime/client';
import { joinPage, newer } from '@/store/messages';
import { directWith } from '@/store/reduce';
import { listConversations } from '@/store/selectors';
import type { Changes, ChatStore } from '@/store/store';
import { isPage, OwnList } from './own-list';
import type { Persister } from './persister';

const PAGE = 50;
/** While catching up, frames that arrive within this time are applied as one change. */
const GATHER_MS = 50;
/** Changed messages are remembered this long, to correct pages that were fetched before the change. */
const RECENT_LIMIT = 500;
/** The protocol's limit for `known`; the server rejects a `connect` with more. */
const MOST_KNOWN = 3_000;
/** Pages prefetched at a connect; each is one request. */
const MOST_PREFETCHED = 30;

export interface SyncOptions {
  store: ChatStore;
  changes: Changes;
  db: ChatDb;
  api: Api;
  persister: Persister;
  clock: Clock;
  /** Reconnect, because the known revisions were discarded. */
  reconnect: () => void;
  /** This tab stores for all tabs. Only one may, or `known` could get ahead of what is stored. */
  writes: () => boolean;
  /** Tells the other tabs of conversations that were fetched. */
  share: (conversationIds: readonly string[]) => void;
  /** Whether somebody looks at it: only then its messages are fetched without being asked for. */
  isOpen: (conversationId: string) => boolean;
}

export class Sync {
  readonly #options: SyncOptions;
  readonly list = new OwnList();
  readonly #recent = new Map<string, Message>();
  /** Conversations that are being fetched because of a frame. */
  readonly #unknown = new Set<string>();
  #epoch: string | null = null;
  #sentKnown = false;
  /** True from the moment the copy is found to be invalid until the next connect: frames are ignored. */
  #startingOver = false;
  /** Between `ready` and `drained` hundreds of messages arrive. They are shown together. */
  #catchingUp = false;
  /** The server continues from `known`. */
  #recovered = false;
  #gathered: ServerFrame[] = [];
  /** While catching up: the value that `known` gets at `drained`. */
  #pending: Record<string, number> | null = null;
  readonly #collecting = new Set<ServerFrame[]>();

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  /** Returns what this device has, for `connect`. Above the limit, only the most recently active conversations. */
  async resume(): Promise<Resume> {
    const { db, persister, store } = this.#options;
    await persister.flush();
    persister.catchUp();
    this.#startingOver = false;
    const [known, epoch] = await Promise.all([db.known(), db.getMeta<string>('epoch')]);
    this.#sentKnown = epoch !== undefined;
    // A conversation that the device lacks is not named, so that the server introduces it.
    const named = latestOf(known, store.getState().conversations, MOST_KNOWN);
    this.list.connecting(epoch === undefined ? null : Object.keys(named), known);
    return { known: named, epoch: epoch ?? null };
  }

  /** Returns false for a frame that belongs to a discarded copy. */
  handle(frame: ServerFrame): boolean {
    const { changes, clock, store } = this.#options;
    if (this.#startingOver) return false;
    for (const frames of this.#collecting) frames.push(frame);
    if (frame.type === 'ready' && this.#sentKnown && !frame.recovered) {
      this.#sentKnown = false;
      this.#startingOver = true;
      void this.#startOver();
      return false;
    }
    if (frame.type === 'ready') {
      this.#catchingUp = true;
      this.#recovered = frame.recovered;
      this.list.begin(Object.keys(store.getState().conversations));
      if (this.#options.writes()) this.#beginCatchingUp(frame);
    }
    if (isPage(frame)) {
      this.#takePageOfList(frame);
      return true;
    }
    if ('message' in frame) this.#expectConversation(frame.message.conversation_id);
    if (frame.type === 'conversation.updated') this.#expectConversation(frame.conversation.id);
    if (this.#catchingUp && this.#recovered && frame.type === 'conversation.joined') {
      // `known` lacked it, so the server does not send what changed meanwhile. Drop the local messages.
      this.#resetAll([frame.conversation]);
    }
    if (this.#catchingUp && (frame.type === 'message.new' || frame.type === 'message.changed')) {
      this.#gather(frame);
    } else {
      if (frame.type === 'drained') this.#catchingUp = false;
      this.#show();
      changes.frames([this.#withoutTimeOfOutdated(frame)], clock.now());
      if (this.#options.writes()) this.#record(frame);
    }
    if (frame.type === 'conversation.reset') {
      this.list.reset(frame.conversation_id);
      this.#fetchIfOpen(frame.conversation_id);
    }
    return true;
  }

  /** Collects the frames from now until the answer is called: what is asked for now may be from before them. */
  meanwhile(): () => readonly ServerFrame[] {
    const frames: ServerFrame[] = [];
    this.#collecting.add(frames);
    return () => {
      this.#collecting.delete(frames);
      return frames;
    };
  }

  /** Applies many fetched conversations as one change for subscribers. The frames in `meanwhile` are newer than the answer. */
  takeConversations(fetched: readonly Conversation[], meanwhile: readonly ServerFrame[] = []): void {
    const { changes, clock, persister, writes } = this.#options;
    this.#show();
    const left = leftIn(meanwhile);
    const conversations = fetched.filter(({ id }) => !left.has(id));
    changes.frames(
      [
        ...conversations.map((conversation) => ({ type: 'conversation.joined', conversation }) as const),
        ...meanwhile.filter((one) => one.type === 'conversation.updated' || one.type === 'user.updated'),
      ],
      clock.now(),
    );
    for (const { id } of conversations) {
      this.list.fetched(id);
      if (writes()) persister.conversation(id);
    }
    if (writes()) persister.people();
  }

  #takePageOfList(page: Ready | ReadyConversations): void {
    const { changes, clock, persister, store, writes } = this.#options;
    this.#show();
    const before = store.getState().conversations;
    const anew = this.list.take(page.conversations, before);
    changes.frames([page], clock.now());
    const after = store.getState().conversations;
    if (writes()) {
      for (const { id } of page.conversations) if (after[id] !== before[id]) persister.conversation(id);
    }
    this.#resetAll(anew);
    // A list of one page has no `more` field.
    if (page.more === true) return;
    const list = this.list.end();
    if (list === null) return;
    changes.left(list.left);
    if (!writes()) return;
    for (const id of list.left) persister.left(id);
    this.#pending = { ...list.revisions, ...this.#pending };
  }

  /** Their local messages are outdated. */
  #resetAll(conversations: readonly { id: string; rev: number; last_seq: number }[]): void {
    if (conversations.length === 0) return;
    const { changes, clock, writes } = this.#options;
    const resets = conversations.map(
      ({ id, rev, last_seq }): ServerFrame => ({
        type: 'conversation.reset',
        conversation_id: id,
        rev,
        last_seq,
      }),
    );
    changes.frames(resets, clock.now());
    if (writes()) for (const reset of resets) this.#record(reset);
    for (const { id } of conversations) this.#fetchIfOpen(id);
  }

  /** Only the conversation on the screen: a thousand may be reset at once. If it fails, opening it tries again. */
  #fetchIfOpen(conversationId: string): void {
    if (this.#options.isOpen(conversationId)) void this.fetchNewest(conversationId).catch(() => undefined);
  }

  /** A frame concerns a conversation that the server has not introduced. */
  #expectConversation(id: string): void {
    const { api, store, writes } = this.#options;
    if (store.getState().conversations[id] !== undefined || !writes()) return;
    this.list.reset(id);
    // While catching up there may be thousands; they are fetched in pages at the end.
    if (this.#catchingUp || this.#unknown.has(id)) return;
    this.#unknown.add(id);
    const meanwhile = this.meanwhile();
    api
      .conversation(id)
      .then((conversation) => {
        this.takeConversations([conversation], meanwhile());
        this.#options.share([id]);
      })
      .catch(() => undefined)
      .finally(() => {
        meanwhile();
        this.#unknown.delete(id);
      });
  }

  /**
   * The conversation that is still to be fetched lacks an earlier change. It keeps its old `updated_at` until then, so
   * that the next `ready` shows the difference if the fetch fails.
   */
  #withoutTimeOfOutdated(frame: ServerFrame): ServerFrame {
    return frame.type === 'conversation.updated' && this.list.outdated.has(frame.conversation.id)
      ? { ...frame, conversation: { ...frame.conversation, updated_at: '' } }
      : frame;
  }

  #gather(frame: ServerFrame): void {
    if (this.#gathered.length === 0) this.#options.clock.after(GATHER_MS, () => this.#show());
    this.#gathered.push(frame);
    if (this.#options.writes()) this.#record(frame);
  }

  #show(): void {
    if (this.#gathered.length === 0) return;
    const frames = this.#gathered;
    this.#gathered = [];
    this.#options.changes.frames(frames, this.#options.clock.now());
  }

  #record(frame: ServerFrame): void {
    const { persister, store } = this.#options;
    switch (frame.type) {
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
        this.list.fetched(frame.conversation.id);
        if (this.#pending === null) persister.known(frame.conversation.id, frame.conversation.rev);
        return;
      case 'conversation.updated':
        persister.conversation(frame.conversation.id);
        return;
      case 'conversation.left':
        persister.left(frame.conversation_id);
        if (this.#pending !== null) delete this.#pending[frame.conversation_id];
        return;
      case 'user.updated': {
        persister.people();
        const direct = directWith(store.getState(), frame.user.id);
        if (direct !== undefined) persister.conversation(direct.id);
        return;
      }
      case 'block.updated':
        persister.people();
        return;
      case 'receipt':
      case 'member.joined':
      case 'member.updated':
      case 'member.left':
        persister.conversation(frame.conversation_id);
        return;
      default:
        // Nothing of it is stored on the device.
        return;
    }
  }

  #arrived(message: Message): void {
    const { persister } = this.#options;
    persister.message(message);
    this.#remember(message);
    // While catching up no frame raises `known`: after a lost connection, catching up must start from the same point.
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

  #beginCatchingUp(ready: Ready): void {
    this.#epoch = ready.epoch;
    this.#pending = {};
  }

  #endCatchingUp(): void {
    const { persister, db } = this.#options;
    for (const [id, rev] of Object.entries(this.#pending ?? {})) {
      // Of ten thousand conversations few differ from the last connect.
      if (!this.list.isStored(id, rev)) persister.known(id, rev);
    }
    this.#pending = null;
    const epoch = this.#epoch;
    // After the messages, never before: an epoch without its messages would claim data that is missing.
    void persister.flush().then(() => db.putMeta('epoch', epoch));
  }

  /** The server does not recognise `known`: it may use another database. */
  async #startOver(): Promise<void> {
    const { persister, store, reconnect } = this.#options;
    await persister.flush();
    await this.forgetAll();
    store.setState({ conversations: {}, windows: {}, members: {} });
    reconnect();
  }

  /** The local copy is invalid: the next connect starts without it. */
  async forgetAll(): Promise<void> {
    const { db } = this.#options;
    await db.dropCache();
    await db.putMeta('epoch', undefined);
  }

  /** Applies a fetched page to the window and the device. Newer data from frames wins. */
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

  /** Stores the newest page of the latest conversations for offline reading, also of those never opened here. */
  async prefetch(signal: AbortSignal): Promise<void> {
    const { api, db, store } = this.#options;
    for (const conversation of listConversations(store.getState()).slice(0, MOST_PREFETCHED)) {
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

/** The conversations that the person is no longer in after these frames. */
function leftIn(frames: readonly ServerFrame[]): ReadonlySet<string> {
  const left = new Set<string>();
  for (const frame of frames) {
    if (frame.type === 'conversation.left') left.add(frame.conversation_id);
    if (frame.type === 'conversation.joined') left.delete(frame.conversation.id);
  }
  return left;
}

/** The entries of `known` whose conversations are here; of more than `most` those with the latest activity. */
export function latestOf(
  known: Record<string, number>,
  conversations: Record<string, Conversation>,
  most: number,
): Record<string, number> {
  const all = Object.entries(known).filter(([id]) => conversations[id] !== undefined);
  const activity = (id: string) =>
    conversations[id]?.last_message?.created_at ?? conversations[id]?.created_at ?? '';
  if (all.length > most) all.sort(([a], [b]) => compareTexts(activity(b), activity(a)));
  return Object.fromEntries(all.slice(0, most));
}

/** Compares by code units: correct for times in one format, and far faster than a locale's order. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
