/** Which part of a conversation is on the screen: opening, paging in both directions, jumping. */
import type { Api } from '@/api/endpoints';
import type { ChatDb } from '@/offline/db';
import type { Message } from '@/protocol';
import { boundWindow, EMPTY_WINDOW, indexOfSeq, runAround } from '@/store/messages';
import { firstUnreadOf, unreadOf } from '@/store/selectors';
import type { Changes, ChatStore } from '@/store/store';
import type { Sync } from './sync';

const PAGE = 50;
/** The number of messages that a conversation off the screen keeps in memory. */
const KEPT = 100;

export class History {
  readonly #store: ChatStore;
  readonly #changes: Changes;
  readonly #db: ChatDb;
  readonly #api: Api;
  readonly #sync: Sync;
  readonly #loading = new Map<string, Promise<void>>();
  readonly #open = new Set<string>();
  /** The number of navigation requests, by conversation. */
  readonly #wishes = new Map<string, number>();

  constructor(parts: { store: ChatStore; changes: Changes; db: ChatDb; api: Api; sync: Sync }) {
    this.#store = parts.store;
    this.#changes = parts.changes;
    this.#db = parts.db;
    this.#api = parts.api;
    this.#sync = parts.sync;
  }

  /**
   * Shows what the device has immediately, then fetches what is missing: the first unread message (unless the user has
   * navigated elsewhere meanwhile) or the newest messages. Rejects when the fetch fails.
   */
  open(conversationId: string): Promise<void> {
    this.#open.add(conversationId);
    return this.#once(openingOf(conversationId), async () => {
      const wanted = this.#wish(conversationId);
      const cached = await this.#db.messages(conversationId, PAGE);
      if (!wanted()) return;
      this.#changes.window(conversationId, (window) =>
        window.items.length > 0 ? window : { ...EMPTY_WINDOW, items: cached, atStart: cached[0]?.seq === 1 },
      );
      const conversation = this.#store.getState().conversations[conversationId];
      const window = this.#store.getState().windows[conversationId];
      if (conversation === undefined || window === undefined || conversation.last_seq === 0) return;
      const first = window.items[0]?.seq ?? Number.POSITIVE_INFINITY;
      const state = this.#store.getState();
      const firstUnread = firstUnreadOf(state, conversation);
      const hasUnread = unreadOf(state, conversation) > 0;
      if (hasUnread && firstUnread < first) {
        await this.#bring(conversationId, firstUnread, wanted);
      } else if (hasUnread && firstUnread === first && !window.atStart) {
        // All of it came from the queue. The conversation opens at a divider between two messages.
        await this.older(conversationId);
      } else if (
        this.#lacksNewest(conversationId) ||
        (window.items.length < PAGE / 2 && first > 1 && !window.atStart)
      ) {
        await this.#sync.fetchNewest(conversationId);
      }
    });
  }

  /** Returns whether the conversation is on the screen: opened and not closed. */
  isOpen(conversationId: string): boolean {
    return this.#open.has(conversationId);
  }

  /** Loads another page above. Resolves without a change at the beginning of the conversation. */
  older(conversationId: string): Promise<void> {
    return this.#once(`older ${conversationId}`, async () => {
      const window = this.#store.getState().windows[conversationId];
      const first = window?.items[0];
      if (window === undefined || first === undefined || window.atStart) return;
      if (first.seq === 1) {
        this.#changes.window(conversationId, (now) => ({ ...now, atStart: true }));
        return;
      }
      const cached = await this.#db.messages(conversationId, PAGE, first.seq);
      if (cached.length > 0) {
        if (this.#store.getState().windows[conversationId]?.items[0]?.seq !== first.seq) return;
        this.#sync.takePage(conversationId, cached, 'join');
        return;
      }
      const page = await this.#api.history(conversationId, { before: first.seq, limit: PAGE });
      // The user jumped elsewhere meanwhile, so the page no longer fits.
      if (this.#store.getState().windows[conversationId]?.items[0]?.seq !== first.seq) return;
      this.#sync.takePage(conversationId, page, 'join', page.length < PAGE ? { atStart: true } : {});
    });
  }

  /** Loads another page below, after a jump into the past. */
  newer(conversationId: string): Promise<void> {
    return this.#once(`newer ${conversationId}`, async () => {
      const window = this.#store.getState().windows[conversationId];
      const last = window?.items.at(-1);
      if (window === undefined || last === undefined || window.atEnd) return;
      const cached = await this.#db.range(conversationId, last.seq + 1, last.seq + PAGE);
      if (cached[0]?.seq === last.seq + 1) {
        if (this.#store.getState().windows[conversationId]?.items.at(-1)?.seq !== last.seq) return;
        const run = runAround(cached, last.seq + 1);
        this.#sync.takePage(conversationId, run, 'join', {
          atEnd: this.#reachesEnd(conversationId, run, last.seq),
        });
        return;
      }
      const page = await this.#api.history(conversationId, { after: last.seq, limit: PAGE });
      if (this.#store.getState().windows[conversationId]?.items.at(-1)?.seq !== last.seq) return;
      this.#sync.takePage(conversationId, page, 'join', {
        atEnd: this.#reachesEnd(conversationId, page, last.seq),
      });
    });
  }

  /**
   * Loads a message and its surroundings into the window, from the device when it has enough of them. Returns false
   * when the user navigated elsewhere meanwhile; then nothing changes.
   */
  jumpTo(conversationId: string, seq: number): Promise<boolean> {
    return this.#bring(conversationId, seq, this.#wish(conversationId));
  }

  async #bring(conversationId: string, seq: number, wanted: () => boolean): Promise<boolean> {
    const window = this.#store.getState().windows[conversationId];
    if (window !== undefined && indexOfSeq(window.items, seq) >= 0) return true;
    const page = await this.#around(conversationId, seq);
    if (!wanted()) return false;
    this.#sync.takePage(conversationId, page, 'replace', {
      atStart: page[0]?.seq === 1,
      atEnd: this.#reachesEnd(conversationId, page, seq),
    });
    return true;
  }

  async #around(conversationId: string, seq: number): Promise<Message[]> {
    const half = PAGE / 2;
    const stored = await this.#db.range(conversationId, seq - half, seq + half);
    const run = runAround(stored, seq);
    const last = this.#store.getState().conversations[conversationId]?.last_seq ?? 0;
    const first = this.#store.getState().conversations[conversationId]?.me.joined_seq ?? 0;
    const whole = Math.min(seq + half, last) - Math.max(seq - half, first + 1) + 1;
    if (run.length >= whole) return run;
    try {
      return await this.#api.history(conversationId, { around: seq, limit: PAGE });
    } catch (error) {
      // Without a network, a part is better than nothing.
      if (run.length > 0) return run;
      throw error;
    }
  }

  /** Returns the pinned messages on this device: those read here, and those pinned since. */
  pinned(conversationId: string): Promise<Message[]> {
    return this.#db.pinned(conversationId);
  }

  /** Returns all pinned messages from the server, newest first. */
  fetchPinned(conversationId: string): Promise<Message[]> {
    return this.#api.pins(conversationId);
  }

  /** Returns matching messages on this device, newest first. Works offline. */
  search(query: string, limit: number, signal?: AbortSignal): Promise<Message[]> {
    return this.#db.search(query, limit, signal);
  }

  /** Returns to the newest message. False when the user navigated elsewhere meanwhile. */
  async jumpToLatest(conversationId: string): Promise<boolean> {
    const wanted = this.#wish(conversationId);
    if (!this.#store.getState().windows[conversationId]?.atEnd) {
      const cached = await this.#db.messages(conversationId, PAGE);
      if (!wanted()) return false;
      this.#changes.window(conversationId, () => ({
        items: cached,
        atStart: cached[0]?.seq === 1,
        atEnd: true,
      }));
    }
    // The last page may be outdated: the conversation is being opened, or opening it failed.
    if (this.#lacksNewest(conversationId)) await this.#sync.fetchNewest(conversationId);
    return wanted();
  }

  /**
   * Finds the first message at or after a time. Times grow with `seq`, so interpolation needs few requests, even in a
   * long conversation. Returns null in an empty conversation and when the user navigated elsewhere meanwhile.
   */
  async findDate(conversationId: string, time: number): Promise<number | null> {
    const wanted = this.#wish(conversationId);
    const newest = (await this.#api.history(conversationId, { limit: 1 })).at(-1);
    const oldest = (await this.#api.history(conversationId, { after: 0, limit: 1 }))[0];
    if (newest === undefined || oldest === undefined || !wanted()) return null;
    let low = { seq: oldest.seq, at: Date.parse(oldest.created_at) };
    let high = { seq: newest.seq, at: Date.parse(newest.created_at) };
    if (time <= low.at) return low.seq;
    if (time > high.at) return high.seq;
    for (let step = 0; high.seq - low.seq > 1; step += 1) {
      const share = high.at > low.at ? (time - low.at) / (high.at - low.at) : 0.5;
      // Every other guess is the middle, because interpolation alone is slow when the traffic is uneven.
      const guess = step % 2 === 0 ? share : 0.5;
      const seq = Math.min(
        high.seq - 1,
        Math.max(low.seq + 1, Math.round(low.seq + guess * (high.seq - low.seq))),
      );
      const found = (await this.#api.history(conversationId, { after: seq - 1, limit: 1 }))[0];
      if (!wanted()) return null;
      if (found === undefined) break;
      const point = { seq: found.seq, at: Date.parse(found.created_at) };
      if (point.at < time) low = point;
      else high = point;
    }
    return high.seq;
  }

  /** Fetches one message by id, for quotes. Returns null when it is not available now. */
  async message(id: string): Promise<Message | null> {
    return (await this.#db.messageById(id)) ?? (await this.#api.message(id).catch(() => null));
  }

  /** Message `seq` is visible: messages far away from it can be dropped. */
  bound(conversationId: string, seq: number): void {
    this.#changes.window(conversationId, (window) => boundWindow(window, seq));
  }

  /** The conversation is closed: keep a few of the newest messages, drop a window in the past and pending requests. */
  leave(conversationId: string): void {
    this.#open.delete(conversationId);
    this.#wish(conversationId);
    this.#loading.delete(openingOf(conversationId));
    this.#changes.window(conversationId, (window) => {
      if (!window.atEnd) return EMPTY_WINDOW;
      if (window.items.length <= KEPT) return window;
      return { items: window.items.slice(-KEPT), atStart: false, atEnd: true };
    });
    const window = this.#store.getState().windows[conversationId];
    if (window?.items.length === 0) {
      this.#store.setState((state) => {
        const { [conversationId]: _, ...windows } = state.windows;
        return { windows };
      });
    }
  }

  #reachesEnd(conversationId: string, page: Message[], fallback: number): boolean {
    const last = page.at(-1)?.seq ?? fallback;
    return last >= (this.#store.getState().conversations[conversationId]?.last_seq ?? 0);
  }

  #lacksNewest(conversationId: string): boolean {
    const { conversations, windows } = this.#store.getState();
    const last = windows[conversationId]?.items.at(-1)?.seq ?? 0;
    return last < (conversations[conversationId]?.last_seq ?? 0);
  }

  /** The latest navigation wins, whatever answer arrives first. Returns whether this one is still the latest. */
  #wish(conversationId: string): () => boolean {
    const wish = (this.#wishes.get(conversationId) ?? 0) + 1;
    this.#wishes.set(conversationId, wish);
    return () => this.#wishes.get(conversationId) === wish;
  }

  /** Shares one request between identical concurrent ones. */
  #once(key: string, run: () => Promise<void>): Promise<void> {
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const promise = run().finally(() => {
      if (this.#loading.get(key) === promise) this.#loading.delete(key);
    });
    this.#loading.set(key, promise);
    return promise;
  }
}

function openingOf(conversationId: string): string {
  return `open ${conversationId}`;
}
