import { Dexie } from 'dexie';
import type { Member, Message } from '@/protocol';
import { contiguousTail } from '@/store/messages';
import type { PendingMessage } from '@/store/state';
import { isConversation, isMember, isMessage, isPending, isUser } from './checked';
import type { Batch, ChatDb, Snapshot } from './db';
import { ChatDexie } from './schema';
import { bestFits, newestFirst } from './search';

export class DexieDb implements ChatDb {
  readonly persistent = true;
  readonly #db: ChatDexie;

  private constructor(db: ChatDexie) {
    this.#db = db;
  }

  /** Throws when IndexedDB is not available or broken. */
  static async open(accountId: string): Promise<DexieDb> {
    const db = new ChatDexie(accountId);
    await db.open();
    return new DexieDb(db);
  }

  async snapshot(): Promise<Snapshot> {
    const db = this.#db;
    const [conversations, people, outbox, drafts] = await db.transaction(
      'r',
      [db.conversations, db.people, db.outbox, db.drafts],
      () =>
        Promise.all([
          db.conversations.toArray(),
          db.people.toArray(),
          db.outbox.toArray(),
          db.drafts.toArray(),
        ]),
    );
    const texts = drafts.filter((row) => typeof row.text === 'string');
    return {
      conversations: conversations.filter(isConversation),
      people: people.filter(isUser),
      outbox: outbox.filter(isPending).sort((a, b) => a.order - b.order),
      drafts: Object.fromEntries(texts.map((row) => [row.conversation_id, row.text])),
    };
  }

  async write(batch: Batch): Promise<void> {
    const db = this.#db;
    const tables = [db.messages, db.conversations, db.people, db.known, db.members, db.drafts];
    await db.transaction('rw', tables, async () => {
      for (const id of batch.reset ?? []) await this.#ofConversation(id).delete();
      for (const id of batch.left ?? []) {
        await this.#ofConversation(id).delete();
        await Promise.all([
          db.conversations.delete(id),
          db.known.delete(id),
          db.members.delete(id),
          db.drafts.delete(id),
        ]);
      }
      if (batch.messages?.length) await db.messages.bulkPut(batch.messages);
      if (batch.conversations?.length) await db.conversations.bulkPut(batch.conversations);
      if (batch.people?.length) await db.people.bulkPut(batch.people);
      const known = Object.entries(batch.known ?? {});
      if (known.length)
        await db.known.bulkPut(known.map(([conversation_id, rev]) => ({ conversation_id, rev })));
    });
  }

  async known(): Promise<Record<string, number>> {
    const rows = await this.#db.known.toArray();
    return Object.fromEntries(
      rows.filter((row) => Number.isInteger(row.rev)).map((row) => [row.conversation_id, row.rev]),
    );
  }

  async messages(conversationId: string, limit: number, before?: number): Promise<Message[]> {
    const upper = before === undefined ? Dexie.maxKey : before;
    const range = this.#db.messages
      .where('[conversation_id+seq]')
      .between([conversationId, Dexie.minKey], [conversationId, upper], true, false);
    const found = (await range.reverse().limit(limit).toArray()).reverse().filter(isMessage);
    if (before !== undefined && found.at(-1)?.seq !== before - 1) return [];
    return contiguousTail(found);
  }

  async messageById(id: string): Promise<Message | undefined> {
    const found = await this.#db.messages.where('id').equals(id).first();
    return isMessage(found) ? found : undefined;
  }

  async range(conversationId: string, from: number, to: number): Promise<Message[]> {
    const found = await this.#db.messages
      .where('[conversation_id+seq]')
      .between([conversationId, from], [conversationId, to], true, true)
      .toArray();
    return found.filter(isMessage);
  }

  async pinned(conversationId: string): Promise<Message[]> {
    return (await this.#ofConversation(conversationId).toArray()).filter(
      (one) => one.pinned && isMessage(one),
    );
  }

  async search(query: string, limit: number, signal?: AbortSignal): Promise<Message[]> {
    const found: Message[] = [];
    // One conversation at a time, so that typing is not blocked; whole pages, because a cursor is ten times slower.
    for (const id of await this.#db.conversations.toCollection().primaryKeys()) {
      if (signal?.aborted) return [];
      found.push(...bestFits((await this.#ofConversation(id).toArray()).filter(isMessage), query, limit));
    }
    return newestFirst(found, limit);
  }

  async putMembers(conversationId: string, members: Member[]): Promise<void> {
    await this.#db.members.put({ conversation_id: conversationId, members });
  }

  async members(conversationId: string): Promise<Member[]> {
    return (await this.#db.members.get(conversationId))?.members?.filter(isMember) ?? [];
  }

  async putDraft(conversationId: string, text: string): Promise<void> {
    if (text === '') await this.#db.drafts.delete(conversationId);
    else await this.#db.drafts.put({ conversation_id: conversationId, text });
  }

  async putPending(record: PendingMessage): Promise<void> {
    await this.#db.outbox.put(record);
  }

  deletePending(clientMessageId: string): Promise<void> {
    return this.#db.outbox.delete(clientMessageId);
  }

  async outbox(): Promise<PendingMessage[]> {
    return (await this.#db.outbox.toArray()).filter(isPending).sort((a, b) => a.order - b.order);
  }

  async getMeta<T>(key: string): Promise<T | undefined> {
    return (await this.#db.meta.get(key))?.value as T | undefined;
  }

  async putMeta(key: string, value: unknown): Promise<void> {
    await this.#db.meta.put({ key, value });
  }

  async dropCache(): Promise<void> {
    const db = this.#db;
    const tables = [db.messages, db.known, db.conversations, db.members, db.people];
    await db.transaction('rw', tables, () => Promise.all(tables.map((table) => table.clear())));
  }

  async evict(perConversation: number, enough = 0): Promise<void> {
    if ((await this.#db.messages.count()) <= enough) return;
    for (const id of await this.#db.conversations.toCollection().primaryKeys()) {
      const keys = await this.#ofConversation(id).reverse().offset(perConversation).primaryKeys();
      if (keys.length > 0) await this.#db.messages.bulkDelete(keys);
    }
  }

  async destroy(): Promise<void> {
    await this.#db.delete();
  }

  close(): void {
    this.#db.close();
  }

  #ofConversation(id: string) {
    return this.#db.messages
      .where('[conversation_id+seq]')
      .between([id, Dexie.minKey], [id, Dexie.maxKey], true, true);
  }
}
