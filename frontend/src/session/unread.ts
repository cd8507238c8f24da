/**
 * "Unread from here": a mark in the user's own state of a conversation, shared with all of their devices. It holds
 * until they read further, here or elsewhere. Changes made offline are sent at the next connect.
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
/** A badge shows "99+" long before. */
const MOST_COUNTED = 200;

interface Kept {
  marks: Record<string, UnreadMark>;
  /** Conversations for which the server does not have the value in `marks`. */
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

  /** Messages of others from `seq` on count as unread. No effect on what the server counts as unread anyway. */
  set(conversationId: string, seq: number): void {
    const state = this.#parts.store.getState();
    const read = state.conversations[conversationId]?.me.read_seq ?? 0;
    if (seq > read) return;
    const count = countOf(state, state.windows[conversationId]?.items ?? [], seq, read);
    this.#put(conversationId, { seq, read, count });
    void this.#tell(conversationId);
  }

  /** The user has read up to `seq`. */
  readUpTo(conversationId: string, seq: number): void {
    const mark = this.#parts.store.getState().unreadFrom[conversationId];
    if (mark === undefined || seq < mark.seq) return;
    this.#put(conversationId, null);
    void this.#tell(conversationId);
  }

  /** Another tab set it and sends it to the server. */
  noted(conversationId: string, mark: UnreadMark | null): void {
    this.#parts.store.setState(({ unreadFrom }) => ({
      unreadFrom:
        mark === null ? omit(unreadFrom, conversationId) : { ...unreadFrom, [conversationId]: mark },
    }));
  }

  /** Applies the server's state: the mark of another device, or its removal. */
  async follow({ id, me }: Conversation): Promise<void> {
    const { store } = this.#parts;
    // The local change is newer, and the server receives it in a moment.
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

  /** Returns as many messages as a count needs, from the device or else from the server. */
  async #between(conversationId: string, from: number, to: number): Promise<Message[]> {
    const { api, db } = this.#parts;
    const kept = await db.range(conversationId, from, to).catch(() => []);
    if (kept.length > to - from || kept.length >= MOST_COUNTED) return kept;
    const limit = Math.min(MOST_COUNTED, to - from + 1);
    return api.history(conversationId, { after: from - 1, limit }).catch(() => kept);
  }

  /** Connected: send marks that changed offline. */
  async connected(): Promise<void> {
    const { db } = this.#parts;
    const kept = await db.getMeta<Kept>(KEY).catch(() => undefined);
    for (const id of [...this.#untold, ...(kept?.untold ?? [])]) await this.#tell(id);
  }

  /** Sends the current mark. A failure is retried later, unless the refusal is permanent. */
  async #tell(conversationId: string): Promise<void> {
    const { api, store } = this.#parts;
    const { unreadFrom, conversations } = store.getState();
    const mark = unreadFrom[conversationId];
    const read = conversations[conversationId]?.me.read_seq;
    this.#untold.add(conversationId);
    this.#keep();
    try {
      // The user read further elsewhere meanwhile, which ends the mark.
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

/** Counts messages of others from `seq` to `read`: exact when they are in memory, otherwise at least one. */
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
