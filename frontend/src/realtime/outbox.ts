/**
 * Messages that wait until the server confirms them. Each is stored when it is sent, sent in the order of writing
 * within a conversation, and repeated with the same `client_message_id` until an answer arrives. So a reload or a
 * lost connection neither loses nor duplicates a message.
 */
import type { Clock } from '@/lib/clock';
import { type MessageAck, RETRYABLE } from '@/protocol';
import type { PendingMessage } from '@/store/state';
import { backoff } from './backoff';
import { RequestError } from './client';

export interface OutboxStorage {
  outbox(): Promise<PendingMessage[]>;
  putPending(record: PendingMessage): Promise<void>;
  deletePending(clientMessageId: string): Promise<void>;
}

export interface OutboxOptions {
  storage: OutboxStorage;
  /** Rejects with RequestError; `connection_lost` when there is no answer. */
  send: (record: PendingMessage) => Promise<MessageAck>;
  /** A record was added, failed, or waits again. */
  changed: (record: PendingMessage) => void;
  /** The time the server took to confirm one message, in milliseconds. */
  confirmed?: (ms: number) => void;
  clock: Clock;
  random: () => number;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Waiting messages by conversation, in the order of writing. */
  readonly #queues = new Map<string, PendingMessage[]>();
  readonly #busy = new Set<string>();
  /** Pending writes to the disk, by `client_message_id`. */
  readonly #writing = new Map<string, Promise<void>>();
  #running = false;
  #lastOrder = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Loads stored messages of an earlier page or another tab. Messages that are being sent do not change. */
  async load(): Promise<void> {
    const stored = await this.#options.storage.outbox();
    for (const [id, queue] of this.#queues) {
      if (!this.#busy.has(id)) queue.length = 0;
    }
    for (const record of stored) this.#add(record);
    this.#pumpAll();
  }

  /** Connected: sends waiting messages until `pause`. */
  resume(): void {
    this.#running = true;
    this.#pumpAll();
  }

  pause(): void {
    this.#running = false;
  }

  /**
   * Shows, stores and sends a message at the same time. If storing or sending is lost, the other one restores it, and
   * the id prevents duplicates. Resolves when the message is stored.
   */
  async enqueue(record: Omit<PendingMessage, 'order' | 'state' | 'error'>): Promise<void> {
    // Time first, so that records of several tabs and page loads sort as they were written.
    this.#lastOrder = Math.max(this.#lastOrder + 1, this.#options.clock.now());
    const whole: PendingMessage = { ...record, order: this.#lastOrder, state: 'waiting', error: null };
    this.#options.changed(whole);
    const written = this.#write(whole);
    this.#add(whole);
    void this.#pump(whole.conversation_id);
    await written;
  }

  /** Sends a failed message again; it keeps its position. */
  async retry(record: PendingMessage): Promise<void> {
    const again: PendingMessage = { ...record, state: 'waiting', error: null };
    this.#options.changed(again);
    const written = this.#write(again);
    this.#add(again);
    void this.#pump(again.conversation_id);
    await written;
  }

  /** Discards a failed message. */
  async discard(clientMessageId: string): Promise<void> {
    for (const queue of this.#queues.values()) {
      const index = queue.findIndex((one) => one.client_message_id === clientMessageId);
      if (index >= 0) queue.splice(index, 1);
    }
    await this.#forget(clientMessageId);
  }

  /** A full disk must not prevent sending; the message just does not survive a reload. */
  #write(record: PendingMessage): Promise<void> {
    const id = record.client_message_id;
    const written = this.#options.storage
      .putPending(record)
      .catch(() => undefined)
      .finally(() => {
        if (this.#writing.get(id) === written) this.#writing.delete(id);
      });
    this.#writing.set(id, written);
    return written;
  }

  /** After the write, or a confirmed message would come back from the disk. */
  async #forget(clientMessageId: string): Promise<void> {
    await this.#writing.get(clientMessageId);
    await this.#options.storage.deletePending(clientMessageId).catch(() => undefined);
  }

  #add(record: PendingMessage): void {
    if (record.state === 'failed') return;
    const queue = this.#queues.get(record.conversation_id) ?? [];
    this.#queues.set(record.conversation_id, queue);
    if (queue.some((one) => one.client_message_id === record.client_message_id)) return;
    queue.push(record);
    queue.sort((a, b) => a.order - b.order);
    this.#lastOrder = Math.max(this.#lastOrder, record.order);
  }

  #pumpAll(): void {
    for (const id of this.#queues.keys()) void this.#pump(id);
  }

  /** One at a time in each conversation: the next is sent after the answer, which keeps the order. */
  async #pump(conversationId: string): Promise<void> {
    if (this.#busy.has(conversationId)) return;
    this.#busy.add(conversationId);
    let attempt = 0;
    try {
      for (let head = this.#head(conversationId); head !== undefined; head = this.#head(conversationId)) {
        const outcome = await this.#sendOnce(head);
        if (outcome.done) {
          attempt = 0;
          this.#remove(head);
          continue;
        }
        if (!this.#running) return;
        await this.#pause(Math.max(outcome.waitMs, backoff(attempt++, this.#options.random)));
      }
    } finally {
      this.#busy.delete(conversationId);
    }
  }

  #head(conversationId: string): PendingMessage | undefined {
    return this.#running ? this.#queues.get(conversationId)?.[0] : undefined;
  }

  async #sendOnce(record: PendingMessage): Promise<{ done: boolean; waitMs: number }> {
    const { send, changed, confirmed, clock } = this.#options;
    const began = clock.now();
    try {
      await send(record);
      confirmed?.(clock.now() - began);
      void this.#forget(record.client_message_id);
      return { done: true, waitMs: 0 };
    } catch (error) {
      const code = error instanceof RequestError ? error.code : 'connection_lost';
      if (code === 'connection_lost' || code === 'unauthenticated' || code === 'token_expired') {
        // The connection calls `resume` when it is back.
        this.#running = false;
        return { done: false, waitMs: 0 };
      }
      if (RETRYABLE.has(code)) {
        return { done: false, waitMs: error instanceof RequestError ? (error.retryAfterMs ?? 0) : 0 };
      }
      const failed: PendingMessage = { ...record, state: 'failed', error: code };
      await this.#write(failed);
      changed(failed);
      return { done: true, waitMs: 0 };
    }
  }

  #remove(record: PendingMessage): void {
    const queue = this.#queues.get(record.conversation_id);
    const index = queue?.findIndex((one) => one.client_message_id === record.client_message_id) ?? -1;
    if (index >= 0) queue?.splice(index, 1);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve);
    });
  }
}
