/** The data on the device. Two implementations: IndexedDB, and memory when that is not available. */
import type { Emitter } from '@/lib/emitter';
import type { Conversation, Member, Message, User } from '@/protocol';
import type { PendingMessage } from '@/store/state';

/** One consistent change; written completely or not at all. */
export interface Batch {
  messages?: Message[];
  conversations?: Conversation[];
  people?: User[];
  /** Revisions up to which the stored messages are complete. */
  known?: Record<string, number>;
  /** Conversations whose stored messages are deleted before `messages` are written. */
  reset?: string[];
  /** Conversations that the user left; all their data is deleted. */
  left?: string[];
}

export interface Snapshot {
  conversations: Conversation[];
  people: User[];
  outbox: PendingMessage[];
  drafts: Record<string, string>;
}

export interface ChatDb {
  /** False when nothing survives the page. */
  readonly persistent: boolean;
  /** Emits when data could not be written and stays in memory until the page closes. */
  readonly troubles?: Emitter<void>;
  snapshot(): Promise<Snapshot>;
  write(batch: Batch): Promise<void>;
  known(): Promise<Record<string, number>>;
  /** Returns the newest messages below `before` (or of all), ascending, without a gap, the last one at `before - 1`. */
  messages(conversationId: string, limit: number, before?: number): Promise<Message[]>;
  messageById(id: string): Promise<Message | undefined>;
  /** Returns the stored messages of a range of `seq`, both ends included, ascending; there may be gaps. */
  range(conversationId: string, from: number, to: number): Promise<Message[]>;
  /** Returns the stored pinned messages of a conversation, ascending. */
  pinned(conversationId: string): Promise<Message[]>;
  /** Returns messages of any sender that match a search (see `findInText`), newest first. */
  search(query: string, limit: number, signal?: AbortSignal): Promise<Message[]>;
  putMembers(conversationId: string, members: Member[]): Promise<void>;
  members(conversationId: string): Promise<Member[]>;
  putDraft(conversationId: string, text: string): Promise<void>;
  /** Adds or replaces; resolves when the data would survive a crash. */
  putPending(record: PendingMessage): Promise<void>;
  deletePending(clientMessageId: string): Promise<void>;
  outbox(): Promise<PendingMessage[]>;
  getMeta<T>(key: string): Promise<T | undefined>;
  putMeta(key: string, value: unknown): Promise<void>;
  /** Deletes what the server has too; keeps drafts, the outbox and the values of `putMeta`. */
  dropCache(): Promise<void>;
  /** Keeps the newest `perConversation` messages of each, unless there are no more than `enough` in all. */
  evict(perConversation: number, enough?: number): Promise<void>;
  /** Deletes everything. */
  destroy(): Promise<void>;
  close(): void;
}
