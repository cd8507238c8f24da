/**
 * Unsent text of each conversation: on the device within 300 ms, on the server a little later, and from there on the
 * user's other devices. The latest text wins, text that is being typed here is never replaced, and text that was
 * typed without a connection is never lost.
 */
import type { Api } from '@/api/endpoints';
import { isRefusal } from '@/api/http';
import type { Clock } from '@/lib/clock';
import { Emitter } from '@/lib/emitter';
import { isVisible } from '@/lib/text';
import type { ChatDb } from '@/offline/db';
import type { Tabs } from '@/realtime/link';
import type { UntoldDraft } from '@/store/state';
import type { Changes, ChatStore } from '@/store/store';

const DISK_MS = 250;
const SERVER_MS = 3_000;
/** A user who typed this recently is still typing. */
const WRITING_MS = 10_000;
const KEY = 'untold_drafts';

interface Waiting {
  text: string;
  cancelDisk: () => void;
  cancelServer: () => void;
}

export interface DraftParts {
  db: ChatDb;
  api: Api;
  changes: Changes;
  store: ChatStore;
  clock: Clock;
  tabs: () => Tabs | undefined;
}

export class Drafts {
  /** Text from outside the message box, to be shown wherever the draft is shown. */
  readonly arrived = new Emitter<{ conversationId: string; text: string }>();
  readonly #parts: DraftParts;
  readonly #waiting = new Map<string, Waiting>();
  #untold: Record<string, UntoldDraft> = {};
  /** Requests go one after the other, so that the last text is the one that stays. */
  #telling: Promise<void> = Promise.resolve();

  constructor(parts: DraftParts) {
    this.#parts = parts;
  }

  /** Restores the drafts on the device, those emptied here that the server still has, and those not yet on disk. */
  async restore(stored: Record<string, string>): Promise<Record<string, string>> {
    const untold = await this.#parts.db.getMeta<Record<string, UntoldDraft>>(KEY);
    this.#untold = { ...untold, ...this.#untold };
    const emptied = Object.keys(this.#untold).map((id) => [id, '']);
    const waiting = [...this.#waiting].map(([id, { text }]) => [id, text]);
    return { ...Object.fromEntries(emptied), ...stored, ...Object.fromEntries(waiting) };
  }

  /** Returns the device's own text, else the text of another device from the server. */
  of(conversationId: string): string {
    return this.#parts.store.getState().drafts[conversationId] ?? this.#onServer(conversationId);
  }

  set(conversationId: string, text: string): void {
    const { changes, clock } = this.#parts;
    this.#cancel(conversationId);
    const base = this.#untold[conversationId]?.base ?? this.#onServer(conversationId);
    this.#untold = { ...this.#untold, [conversationId]: { base, at: clock.now() } };
    changes.draft(conversationId, text);
    this.#waiting.set(conversationId, {
      text,
      cancelDisk: clock.after(DISK_MS, () => void this.#keep(conversationId, text)),
      cancelServer: clock.after(SERVER_MS, () => this.#tell(conversationId)),
    });
  }

  /** Appends text to the draft as if the user had typed it. */
  add(conversationId: string, text: string): void {
    const before = this.of(conversationId);
    const both = isVisible(before) ? `${before}\n${text}` : text;
    this.set(conversationId, both);
    this.arrived.emit({ conversationId, text: both });
  }

  /**
   * Another tab of this device wrote. Every tab knows what the server has not heard, for what the device keeps of that
   * is one list for all of them, and the tab that wrote may be gone when there is a connection.
   */
  noted(conversationId: string, text: string, untold: UntoldDraft): void {
    const own = this.#untold[conversationId];
    if (own !== undefined && own.at > untold.at) return;
    this.#cancel(conversationId);
    this.#untold = { ...this.#untold, [conversationId]: untold };
    this.#parts.changes.draft(conversationId, text);
    this.arrived.emit({ conversationId, text });
  }

  /** What the server says of a conversation, after another device wrote or after a reconnect. */
  follow(id: string, theirs: string, updatedAt: string): void {
    const ours = this.of(id);
    const untold = this.#untold[id];
    if (untold === undefined) {
      if (theirs !== (this.#parts.store.getState().drafts[id] ?? '')) this.#adopt(id, theirs);
      return;
    }
    if (theirs === ours) this.#told(id, untold);
    if (theirs === untold.base || theirs === ours) return;
    const { clock } = this.#parts;
    const writing = clock.now() - untold.at < WRITING_MS;
    // The draft is no newer than its conversation; if typed after that, ours is the latest.
    if (writing || untold.at > Date.parse(updatedAt)) return;
    // Both were written independently, theirs later: theirs wins, and ours is kept above it.
    const both = isVisible(ours) && !theirs.includes(ours) ? `${ours}\n\n${theirs}` : theirs;
    this.#adopt(id, both);
    if (both === theirs) this.#told(id, untold);
  }

  /** Connected: send drafts that changed offline. */
  connected(): void {
    for (const id of Object.keys(this.#untold)) if (!this.#waiting.has(id)) this.#tell(id);
  }

  /** Stores pending drafts now, for when the page is closed. */
  async flush(): Promise<void> {
    const waiting = [...this.#waiting];
    for (const [id, one] of waiting) {
      this.#cancel(id);
      await this.#keep(id, one.text);
    }
  }

  #onServer(conversationId: string): string {
    return this.#parts.store.getState().conversations[conversationId]?.me.draft ?? '';
  }

  #cancel(conversationId: string): void {
    const waiting = this.#waiting.get(conversationId);
    waiting?.cancelDisk();
    waiting?.cancelServer();
    this.#waiting.delete(conversationId);
  }

  #adopt(conversationId: string, text: string): void {
    this.#cancel(conversationId);
    this.#parts.changes.draft(conversationId, text);
    this.arrived.emit({ conversationId, text });
    void this.#toDisk(conversationId, text);
  }

  #keep(conversationId: string, text: string): Promise<void> {
    const untold = this.#untold[conversationId];
    if (untold !== undefined) this.#parts.tabs()?.share({ kind: 'draft', conversationId, text, untold });
    return this.#toDisk(conversationId, text);
  }

  async #toDisk(conversationId: string, text: string): Promise<void> {
    const { db } = this.#parts;
    await Promise.all([db.putDraft(conversationId, text), db.putMeta(KEY, this.#untold)]).catch(
      () => undefined,
    );
  }

  #tell(conversationId: string): void {
    this.#waiting.delete(conversationId);
    this.#telling = this.#telling.then(async () => {
      const untold = this.#untold[conversationId];
      if (untold === undefined) return;
      try {
        await this.#parts.api.ownSettings(conversationId, { draft: this.of(conversationId) });
        this.#told(conversationId, untold);
      } catch (error) {
        // It stays on this device. The next connection tries again unless the error is permanent.
        if (isRefusal(error)) this.#told(conversationId, untold);
      }
    });
  }

  /** Unless more was written meanwhile. */
  #told(conversationId: string, what: UntoldDraft): void {
    if (this.#untold[conversationId] !== what) return;
    const { [conversationId]: _, ...others } = this.#untold;
    this.#untold = others;
    void this.#parts.db.putMeta(KEY, others).catch(() => undefined);
  }
}
