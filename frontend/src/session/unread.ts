/** "Unread from here" marks: kept on this device and told to its other tabs, because the server's marks only grow. */
import type { ChatDb } from '@/offline/db';
import type { Tabs } from '@/realtime/link';
import { omit } from '@/store/reduce';
import type { ChatState, UnreadMark } from '@/store/state';
import type { ChatStore } from '@/store/store';

const KEY = 'unread_from';

export class UnreadMarks {
  readonly #store: ChatStore;
  readonly #db: ChatDb;
  readonly #tabs: () => Tabs | undefined;

  constructor(parts: { store: ChatStore; db: ChatDb; tabs: () => Tabs | undefined }) {
    this.#store = parts.store;
    this.#db = parts.db;
    this.#tabs = parts.tabs;
  }

  async restore(): Promise<void> {
    const unreadFrom = (await this.#db.getMeta<Record<string, UnreadMark>>(KEY)) ?? {};
    this.#store.setState({ unreadFrom });
  }

  /** Everything of others from `seq` on counts as unread; without effect on what the server counts as unread anyway. */
  set(conversationId: string, seq: number): void {
    const count = countBetween(this.#store.getState(), conversationId, seq);
    if (count > 0) this.#put(conversationId, { seq, count });
  }

  /** The person has read up to `seq`. */
  readUpTo(conversationId: string, seq: number): void {
    const mark = this.#store.getState().unreadFrom[conversationId];
    if (mark !== undefined && seq >= mark.seq) this.#put(conversationId, null);
  }

  /** Another tab put it, and writes it down. */
  noted(conversationId: string, mark: UnreadMark | null): void {
    this.#store.setState(({ unreadFrom }) => ({
      unreadFrom:
        mark === null ? omit(unreadFrom, conversationId) : { ...unreadFrom, [conversationId]: mark },
    }));
  }

  #put(conversationId: string, mark: UnreadMark | null): void {
    this.noted(conversationId, mark);
    this.#tabs()?.share({ kind: 'unread_from', conversationId, mark });
    void this.#db.putMeta(KEY, this.#store.getState().unreadFrom).catch(() => undefined);
  }
}

/** Messages of others from `seq` up to the read mark: exact where they are at hand, otherwise at least one. */
function countBetween(state: ChatState, conversationId: string, seq: number): number {
  const read = state.conversations[conversationId]?.me.read_seq ?? 0;
  if (seq > read) return 0;
  const items = state.windows[conversationId]?.items ?? [];
  const counted = items.filter(
    (one) =>
      one.seq >= seq &&
      one.seq <= read &&
      one.kind === 'text' &&
      one.deleted_at === null &&
      one.sender_id !== state.me?.id,
  ).length;
  return Math.max(1, counted);
}
