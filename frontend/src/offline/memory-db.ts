import type { Conversation, Member, Message, User } from '@/protocol';
import { contiguousTail } from '@/store/messages';
import type { PendingMessage } from '@/store/state';
import type { Batch, ChatDb, Snapshot } from './db';
import { bestFits, newestFirst } from './search';

/** The same contract for the lifetime of the page: private windows, and browsers without IndexedDB. */
export class MemoryDb implements ChatDb {
  readonly persistent = false;
  readonly #conversations = new Map<string, Conversation>();
  readonly #messages = new Map<string, Map<number, Message>>();
  readonly #people = new Map<string, User>();
  readonly #members = new Map<string, Member[]>();
  readonly #known = new Map<string, number>();
  readonly #drafts = new Map<string, string>();
  readonly #outbox = new Map<string, PendingMessage>();
  readonly #meta = new Map<string, unknown>();

  async snapshot(): Promise<Snapshot> {
    return {
      conversations: [...this.#conversations.values()],
      people: [...this.#people.values()],
      outbox: await this.outbox(),
      drafts: Object.fromEntries(this.#drafts),
    };
  }

  async write(batch: Batch): Promise<void> {
    for (const id of batch.reset ?? []) this.#messages.delete(id);
    for (const id of batch.left ?? []) {
      for (const table of [this.#messages, this.#conversations, this.#known, this.#members, this.#drafts]) {
        table.delete(id);
      }
    }
    for (const message of batch.messages ?? []) {
      const inside = this.#messages.get(message.conversation_id) ?? new Map<number, Message>();
      this.#messages.set(message.conversation_id, inside.set(message.seq, message));
    }
    for (const one of batch.conversations ?? []) this.#conversations.set(one.id, one);
    for (const one of batch.people ?? []) this.#people.set(one.id, one);
    for (const [id, rev] of Object.entries(batch.known ?? {})) this.#known.set(id, rev);
  }

  async known(): Promise<Record<string, number>> {
    return Object.fromEntries(this.#known);
  }

  async messages(conversationId: string, limit: number, before?: number): Promise<Message[]> {
    const all = [...(this.#messages.get(conversationId)?.values() ?? [])]
      .filter((one) => before === undefined || one.seq < before)
      .sort((a, b) => a.seq - b.seq);
    const found = all.slice(-limit);
    if (before !== undefined && found.at(-1)?.seq !== before - 1) return [];
    return contiguousTail(found);
  }

  async messageById(id: string): Promise<Message | undefined> {
    for (const inside of this.#messages.values()) {
      for (const message of inside.values()) if (message.id === id) return message;
    }
    return undefined;
  }

  async range(conversationId: string, from: number, to: number): Promise<Message[]> {
    return [...(this.#messages.get(conversationId)?.values() ?? [])]
      .filter((one) => one.seq >= from && one.seq <= to)
      .sort((a, b) => a.seq - b.seq);
  }

  async pinned(conversationId: string): Promise<Message[]> {
    return (await this.range(conversationId, 0, Number.POSITIVE_INFINITY)).filter((one) => one.pinned);
  }

  async search(query: string, limit: number): Promise<Message[]> {
    const all = [...this.#messages.values()].flatMap((inside) => [...inside.values()]);
    return newestFirst(bestFits(all, query, Number.POSITIVE_INFINITY), limit);
  }

  async putMembers(conversationId: string, members: Member[]): Promise<void> {
    this.#members.set(conversationId, members);
  }

  async members(conversationId: string): Promise<Member[]> {
    return this.#members.get(conversationId) ?? [];
  }

  async putDraft(conversationId: string, text: string): Promise<void> {
    if (text === '') this.#drafts.delete(conversationId);
    else this.#drafts.set(conversationId, text);
  }

  async putPending(record: PendingMessage): Promise<void> {
    this.#outbox.set(record.client_message_id, record);
  }

  async deletePending(clientMessageId: string): Promise<void> {
    this.#outbox.delete(clientMessageId);
  }

  async outbox(): Promise<PendingMessage[]> {
    return [...this.#outbox.values()].sort((a, b) => a.order - b.order);
  }

  async getMeta<T>(key: string): Promise<T | undefined> {
    return this.#meta.get(key) as T | undefined;
  }

  async putMeta(key: string, value: unknown): Promise<void> {
    this.#meta.set(key, value);
  }

  async dropCache(): Promise<void> {
    for (const table of [this.#messages, this.#known, this.#conversations, this.#members, this.#people])
      table.clear();
  }

  async evict(perConversation: number): Promise<void> {
    for (const inside of this.#messages.values()) {
      const gone = [...inside.keys()].sort((a, b) => b - a).slice(perConversation);
      for (const seq of gone) inside.delete(seq);
    }
  }

  async destroy(): Promise<void> {
    await this.dropCache();
    for (const table of [this.#drafts, this.#outbox, this.#meta]) table.clear();
  }

  close(): void {}
}
