/** Combines the changes of frames into few transactions, each complete in itself. */
import type { Clock } from '@/lib/clock';
import type { Batch, ChatDb } from '@/offline/db';
import type { Message, User } from '@/protocol';
import type { ChatStore } from '@/store/store';

/** Long enough to combine a burst and let it be painted, short enough that a crash loses nothing noticeable. */
const GATHER_MS = 60;

export interface PersisterOptions {
  db: ChatDb;
  store: ChatStore;
  clock: Clock;
  /** Called after messages of others up to `seq` of a conversation are stored. */
  stored: (conversationId: string, seq: number) => void;
  /** True when this tab stores for all tabs; the others store nothing. */
  writes: () => boolean;
  /** Storage is full or broken; called for each failed batch. */
  failed: (error: unknown) => void;
}

export class Persister {
  readonly #options: PersisterOptions;
  #messages: Message[] = [];
  #conversations = new Set<string>();
  #known: Record<string, number> = {};
  #reset = new Set<string>();
  #left = new Set<string>();
  /** Some data of these was not stored, so `known` must not be raised for them before the next connect. */
  readonly #behind = new Set<string>();
  #people = false;
  /** Written with their current value. */
  #writtenPeople = new WeakSet<User>();
  #scheduled = false;
  #last: Promise<void> = Promise.resolve();

  constructor(options: PersisterOptions) {
    this.#options = options;
  }

  message(message: Message): void {
    this.#messages.push(message);
    this.conversation(message.conversation_id);
  }

  conversation(id: string): void {
    this.#conversations.add(id);
    this.#schedule();
  }

  people(): void {
    this.#people = true;
    this.#schedule();
  }

  known(conversationId: string, rev: number): void {
    if (this.#behind.has(conversationId)) return;
    this.#known[conversationId] = rev;
    this.#schedule();
  }

  reset(conversationId: string): void {
    this.#messages = this.#messages.filter((one) => one.conversation_id !== conversationId);
    this.#reset.add(conversationId);
    this.#schedule();
  }

  left(conversationId: string): void {
    this.reset(conversationId);
    delete this.#known[conversationId];
    this.#left.add(conversationId);
  }

  /** Start again from what is stored: the server repeats what is missing. */
  catchUp(): void {
    this.#writtenPeople = new WeakSet();
    this.#behind.clear();
  }

  /** Resolves when everything collected so far is stored or has failed. */
  flush(): Promise<void> {
    this.#scheduled = false;
    const { db, store, stored, failed, writes } = this.#options;
    const state = store.getState();
    const messages = this.#messages;
    const batch: Batch = {
      messages,
      conversations: [...this.#conversations].flatMap((id) => state.conversations[id] ?? []),
      people: this.#people ? Object.values(state.people).filter((one) => !this.#writtenPeople.has(one)) : [],
      known: this.#known,
      reset: [...this.#reset],
      left: [...this.#left],
    };
    this.#messages = [];
    this.#conversations = new Set();
    this.#known = {};
    this.#reset = new Set();
    this.#left = new Set();
    this.#people = false;
    if (!writes()) return this.#last;
    this.#last = this.#last.then(async () => {
      try {
        for (const id of this.#behind) delete batch.known?.[id];
        await db.write(batch);
        for (const one of batch.people ?? []) this.#writtenPeople.add(one);
      } catch (error) {
        for (const one of messages) this.#behind.add(one.conversation_id);
        for (const id of [...Object.keys(batch.known ?? {}), ...(batch.reset ?? [])]) this.#behind.add(id);
        failed(error);
      }
      // Also when the disk is full: the user sees the message, and the server must not repeat it forever.
      for (const message of messages) {
        if (message.sender_id !== state.me?.id) stored(message.conversation_id, message.seq);
      }
    });
    return this.#last;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.clock.after(GATHER_MS, () => {
      if (this.#scheduled) void this.flush();
    });
  }
}
