/**
 * "Unread from here": a mark in the person's own place of a conversation, told to all of their devices. It holds while
 * they read no further, here or elsewhere; what was marked or unmarked without a connection is told at the next one.
 */
import type { Api } from '@/api/endpoints';
import { isRefusal } from '@/api/http';
import { entriesOf, isUnreadMark } from '@/offline/checked';
import type { ChatDb } from '@/offline/db';
import type { Conversation, Message } from '@/protocol';
import type { Tabs } from '@/realtime/link';
import { omit } from '@/store/reduce';
import type { ChatState, UnreadMark } from '@/store/state';
import type { ChatStore } from '@/store/store';

const KEY = 'unread_marks';
/** A badge says "99+" long before. */
const MOST_COUNTED = 200;

interface Kept {
  marks: Record<string, UnreadMark>;
  /** Of these the server has not heard what stands in `marks`. */
  untold: string[];
}

export class UnreadMarks {
  readonly #parts: { store: ChatStore; db: ChatDb; api: Api; tabs: () => Tabs | undefined };
  #untold = new Set<string>();

  constructor(parts: { store: ChatStore; db: ChatDb; api: Api; tabs: () => Tabs | undefined }) {
    this.#parts = parts;
  }

  async restore(): Promise<void> {
    const kept = await this.#parts.db.getMeta<Kept>(KEY);
    const untold = Array.isArray(kept?.untold) ? kept.untold : [];
    this.#untold = new Set([...untold, ...this.#untold]);
    this.#parts.store.setState({ unreadFrom: entriesOf(kept?.marks, isUnreadMark) });
  }

  /** Everything of others from `seq` on counts as unread; without effect on what the server counts as unread anyway. */
  set(conversationId: string, seq: number): void {
    const state = this.#parts.store.getState();
    const read = state.conversations[conversationId]?.me.read_seq ?? 0;
    if (seq > read) return;
    const count = countOf(state, state.windows[conversationId]?.items ?? [], seq, read);
    this.#put(conversationId, { seq, read, count });
    void this.#tell(conversationId);
  }

  /** The person has read up to `seq`. */
  readUpTo(conversationId: string, seq: number): void {
    const mark = this.#parts.store.getState().unreadFrom[conversationId];
    if (mark === undefined || seq < mark.seq) return;
    this.#put(conversationId, null);
    void this.#tell(conversationId);
  }

  /** Another tab put it, and tells the server. */
  noted(conversationId: string, mark: UnreadMark | null): void {
    this.#parts.store.setState(({ unreadFrom }) => ({
      unreadFrom:
        mark === null ? omit(unreadFrom, conversationId) : { ...unreadFrom, [conversationId]: mark },
    }));
  }

  /** What the server says of a conversation: the mark of another device, or that it is gone. */
  async follow({ id, me }: Conversation): Promise<void> {
    const { store } = this.#parts;
    // What was done here is newer, and the server hears of it in a moment.
    if (this.#untold.has(id)) return;
    const known = store.getState().unreadFrom[id];
    const seq = me.unread_from ?? null;
    if (seq === null || seq > me.read_seq) {
      if (known !== undefined) this.#put(id, null);
      return;
    }
    if (known?.seq === seq && known.read === me.read_seq) return;
    const messages = await this.#between(id, seq, me.read_seq);
    const state = store.getState();
    if (this.#untold.has(id) || state.conversations[id]?.me.unread_from !== seq) return;
    this.#put(id, { seq, read: me.read_seq, count: countOf(state, messages, seq, me.read_seq) });
  }

  /** As many as are needed for a count, from the device or else from the server. */
  async #between(conversationId: string, from: number, to: number): Promise<Message[]> {
    const { api, db } = this.#parts;
    const kept = await db.range(conversationId, from, to).catch(() => []);
    if (kept.length > to - from || kept.length >= MOST_COUNTED) return kept;
    const limit = Math.min(MOST_COUNTED, to - from + 1);
    return api.history(conversationId, { after: from - 1, limit }).catch(() => kept);
  }

  /** There is a connection: what was marked without one is told. */
  async connected(): Promise<void> {
    const { db } = this.#parts;
    const kept = await db.getMeta<Kept>(KEY).catch(() => undefined);
    for (const id of [...this.#untold, ...(kept?.untold ?? [])]) await this.#tell(id);
  }

  /** Tells what stands here now; what cannot be told waits, unless the server refuses it for good. */
  async #tell(conversationId: string): Promise<void> {
    const { api, store } = this.#parts;
    const { unreadFrom, conversations } = store.getState();
    const mark = unreadFrom[conversationId];
    const read = conversations[conversationId]?.me.read_seq;
    this.#untold.add(conversationId);
    this.#keep();
    try {
      // Read on elsewhere meanwhile: then the mark is over.
      const seq = mark === undefined || mark.read !== read ? null : mark.seq;
      await api.ownSettings(conversationId, { unread_from: seq });
    } catch (error) {
      if (!isRefusal(error)) return;
    }
    if (store.getState().unreadFrom[conversationId] !== mark) return;
    this.#untold.delete(conversationId);
    this.#keep();
  }

  #put(conversationId: string, mark: UnreadMark | null): void {
    this.noted(conversationId, mark);
    this.#parts.tabs()?.share({ kind: 'unread_from', conversationId, mark });
    this.#keep();
  }

  #keep(): void {
    const { db, store } = this.#parts;
    const kept: Kept = { marks: store.getState().unreadFrom, untold: [...this.#untold] };
    void db.putMeta(KEY, kept).catch(() => undefined);
  }
}

/** Messages of others from `seq` up to `read`: exact where they are at hand, otherwise at least one. */
function countOf(state: ChatState, messages: readonly Message[], seq: number, read: number): number {
  const counted = messages.filter(
    (one) =>
      one.seq >= seq &&
      one.seq <= read &&
      one.kind === 'text' &&
      one.deleted_at === null &&
      one.sender_id !== state.me?.id,
  ).length;
  return Math.max(1, counted);
}
