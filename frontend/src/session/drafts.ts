/** Unsent text of each conversation: on the device within 300 ms, on the server a little later. */
import type { Api } from '@/api/endpoints';
import type { Clock } from '@/lib/clock';
import type { ChatDb } from '@/offline/db';
import type { Changes, ChatStore } from '@/store/store';

const DISK_MS = 250;
const SERVER_MS = 3_000;

interface Waiting {
  text: string;
  cancelDisk: () => void;
  cancelServer: () => void;
}

export class Drafts {
  readonly #parts: { db: ChatDb; api: Api; changes: Changes; store: ChatStore; clock: Clock };
  readonly #waiting = new Map<string, Waiting>();

  constructor(parts: { db: ChatDb; api: Api; changes: Changes; store: ChatStore; clock: Clock }) {
    this.#parts = parts;
  }

  /** The device's own text, else what another device left on the server. */
  of(conversationId: string): string {
    const state = this.#parts.store.getState();
    return state.drafts[conversationId] ?? state.conversations[conversationId]?.me.draft ?? '';
  }

  set(conversationId: string, text: string): void {
    const { changes, clock } = this.#parts;
    const earlier = this.#waiting.get(conversationId);
    earlier?.cancelDisk();
    earlier?.cancelServer();
    changes.draft(conversationId, text);
    this.#waiting.set(conversationId, {
      text,
      cancelDisk: clock.after(DISK_MS, () => void this.#toDisk(conversationId, text)),
      cancelServer: clock.after(SERVER_MS, () => void this.#toServer(conversationId, text)),
    });
  }

  /** Writes down what is still waiting; for the moment when the page goes away. */
  async flush(): Promise<void> {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [id, one] of waiting) {
      one.cancelDisk();
      one.cancelServer();
      await this.#toDisk(id, one.text);
    }
  }

  async #toDisk(conversationId: string, text: string): Promise<void> {
    await this.#parts.db.putDraft(conversationId, text).catch(() => undefined);
  }

  /** Another device may show it; nobody is told when that fails, the text is safe here. */
  async #toServer(conversationId: string, text: string): Promise<void> {
    this.#waiting.delete(conversationId);
    const known = this.#parts.store.getState().conversations[conversationId];
    if (known === undefined || known.me.draft === text) return;
    await this.#parts.api.ownSettings(conversationId, { draft: text }).catch(() => undefined);
  }
}
