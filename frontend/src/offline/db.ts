/** What the client keeps on the device. Two implementations: IndexedDB, and memory where that is forbidden. */
import type { Emitter } from '@/lib/emitter';
import type { Conversation, Member, Message, User } from '@/protocol';
import type { PendingMessage } from '@/store/state';

/** Everything of one moment; written together or not at all. */
export interface Batch {
  messages?: Message[];
  conversations?: Conversation[];
  people?: User[];
  /** Revisions up to which the stored messages are complete. */
  known?: Record<string, number>;
  /** Conversations whose stored messages must go before `messages` come. */
  reset?: string[];
  /** Conversations that were left, with all they had. */
  left?: string[];
}

export interface Snapshot {
  conversations: Conversation[];
  people: User[];
  outbox: PendingMessage[];
  drafts: Record<string, string>;
}

export interface ChatDb {
  /** False when nothing outlives the page. */
  readonly persistent: boolean;
  /** Tells when something could not be written and is only remembered until the page goes. */
  readonly troubles?: Emitter<void>;
  snapshot(): Promise<Snapshot>;
  write(batch: Batch): Promise<void>;
  known(): Promise<Record<string, number>>;
  /** The newest messages below `before` (or of all), ascending and without a gap, the last one at `before - 1`. */
  messages(conversationId: string, limit: number, before?: number): Promise<Message[]>;
  messageById(id: string): Promise<Message | undefined>;
  /** What is stored of a range of `seq`, both ends included, ascending; there may be gaps. */
  range(conversationId: string, from: number, to: number): Promise<Message[]>;
  /** Pinned messages of a conversation, as far as they are stored, ascending. */
  pinned(conversationId: string): Promise<Message[]>;
  /** Messages of anybody that fit a search (see `findInText`), newest first. */
  search(query: string, limit: number, signal?: AbortSignal): Promise<Message[]>;
  putMembers(conversationId: string, members: Member[]): Promise<void>;
  members(conversationId: string): Promise<Member[]>;
  putDraft(conversationId: string, text: string): Promise<void>;
  /** Adds or replaces; resolves when it would survive a crash. */
  putPending(record: PendingMessage): Promise<void>;
  deletePending(clientMessageId: string): Promise<void>;
  outbox(): Promise<PendingMessage[]>;
  getMeta<T>(key: string): Promise<T | undefined>;
  putMeta(key: string, value: unknown): Promise<void>;
  /** Drops what the server has as well; keeps drafts, the outbox and what stands in `putMeta`. */
  dropCache(): Promise<void>;
  /** Keeps the newest `perConversation` messages of each, unless there are no more than `enough` in all. */
  evict(perConversation: number, enough?: number): Promise<void>;
  /** Everything goes. */
  destroy(): Promise<void>;
  close(): void;
}
