/**
 * A database that survives a full or failing disk, so that the user's own text is never lost. It first frees space by
 * keeping fewer messages; what still cannot be written stays in memory until the page closes.
 */
import { Emitter } from '@/lib/emitter';
import type { Member, Message } from '@/protocol';
import type { PendingMessage } from '@/store/state';
import type { Batch, ChatDb, Snapshot } from './db';
import { MemoryDb } from './memory-db';

/** The number of messages that each conversation keeps when space must be freed. */
const KEPT_WHEN_FULL = 50;

export class SturdyDb implements ChatDb {
  readonly troubles = new Emitter<void>();
  readonly #disk: ChatDb;
  /** What the disk rejected; it takes precedence over the disk. */
  readonly #memory = new MemoryDb();
  readonly #cleared = new Set<string>();

  constructor(disk: ChatDb) {
    this.#disk = disk;
  }

  get persistent(): boolean {
    return this.#disk.persistent;
  }

  async snapshot(): Promise<Snapshot> {
    const [disk, memory] = await Promise.all([this.#disk.snapshot(), this.#memory.snapshot()]);
    const drafts = { ...disk.drafts, ...memory.drafts };
    for (const id of this.#cleared) delete drafts[id];
    return { ...disk, drafts, outbox: merged(disk.outbox, memory.outbox) };
  }

  /** All or nothing: rejects when the data does not fit after space was freed. */
  async write(batch: Batch): Promise<void> {
    try {
      await this.#disk.write(batch);
    } catch {
      await this.#makeRoom();
      await this.#disk.write(batch);
    }
  }

  async putDraft(conversationId: string, text: string): Promise<void> {
    const kept = await this.#store(
      () => this.#disk.putDraft(conversationId, text),
      () => this.#memory.putDraft(conversationId, text),
    );
    if (kept) await this.#memory.putDraft(conversationId, '');
    if (kept || text !== '') this.#cleared.delete(conversationId);
    else this.#cleared.add(conversationId);
  }

  async putPending(record: PendingMessage): Promise<void> {
    const kept = await this.#store(
      () => this.#disk.putPending(record),
      () => this.#memory.putPending(record),
    );
    if (kept) await this.#memory.deletePending(record.client_message_id);
  }

  async deletePending(clientMessageId: string): Promise<void> {
    await this.#memory.deletePending(clientMessageId);
    await this.#disk.deletePending(clientMessageId);
  }

  async outbox(): Promise<PendingMessage[]> {
    return merged(await this.#disk.outbox(), await this.#memory.outbox());
  }

  async getMeta<T>(key: string): Promise<T | undefined> {
    return (await this.#memory.getMeta<T>(key)) ?? (await this.#disk.getMeta<T>(key));
  }

  async putMeta(key: string, value: unknown): Promise<void> {
    const kept = await this.#store(
      () => this.#disk.putMeta(key, value),
      () => this.#memory.putMeta(key, value),
    );
    if (kept) await this.#memory.putMeta(key, undefined);
  }

  known(): Promise<Record<string, number>> {
    return this.#disk.known();
  }

  messages(conversationId: string, limit: number, before?: number): Promise<Message[]> {
    return this.#disk.messages(conversationId, limit, before);
  }

  messageById(id: string): Promise<Message | undefined> {
    return this.#disk.messageById(id);
  }

  range(conversationId: string, from: number, to: number): Promise<Message[]> {
    return this.#disk.range(conversationId, from, to);
  }

  pinned(conversationId: string): Promise<Message[]> {
    return this.#disk.pinned(conversationId);
  }

  search(query: string, limit: number, signal?: AbortSignal): Promise<Message[]> {
    return this.#disk.search(query, limit, signal);
  }

  putMembers(conversationId: string, members: Member[]): Promise<void> {
    return this.#disk.putMembers(conversationId, members);
  }

  members(conversationId: string): Promise<Member[]> {
    return this.#disk.members(conversationId);
  }

  dropCache(): Promise<void> {
    return this.#disk.dropCache();
  }

  evict(perConversation: number, enough?: number): Promise<void> {
    return this.#disk.evict(perConversation, enough);
  }

  async destroy(): Promise<void> {
    await this.#memory.destroy();
    await this.#disk.destroy();
  }

  close(): void {
    this.#disk.close();
  }

  /** Returns false when only memory has it. */
  async #store(toDisk: () => Promise<void>, toMemory: () => Promise<void>): Promise<boolean> {
    try {
      await toDisk();
      return true;
    } catch {
      // Reported below, after the second attempt.
    }
    // Before any slow work: the next reader must find it.
    await toMemory();
    await this.#makeRoom();
    try {
      await toDisk();
      return true;
    } catch {
      this.troubles.emit();
      return false;
    }
  }

  #makeRoom(): Promise<void> {
    return this.#disk.evict(KEPT_WHEN_FULL).catch(() => undefined);
  }
}

function merged(disk: readonly PendingMessage[], memory: readonly PendingMessage[]): PendingMessage[] {
  const byId = new Map([...disk, ...memory].map((one) => [one.client_message_id, one]));
  return [...byId.values()].sort((a, b) => a.order - b.order);
}
