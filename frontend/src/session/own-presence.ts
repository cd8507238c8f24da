/**
 * How the person wants to be seen. The server keeps it for the account; the device keeps it too, so that it shows at
 * once after a reload, and so that a choice made offline reaches the server later.
 */
import type { Api } from '@/api/endpoints';
import type { ChatDb } from '@/offline/db';
import type { Line } from '@/realtime/link';
import type { ChosenPresence } from '@/store/state';
import type { ChatStore } from '@/store/store';

const KEY = 'presence';
const CHOICES: ReadonlySet<unknown> = new Set<ChosenPresence>(['online', 'away', 'dnd', 'invisible']);

interface Kept {
  state: ChosenPresence;
  /** The server has not heard of it. */
  untold: boolean;
}

export class OwnPresence {
  readonly #parts: { store: ChatStore; db: ChatDb; api: Api; link: Line };
  #untold = false;

  constructor(parts: { store: ChatStore; db: ChatDb; api: Api; link: Line }) {
    this.#parts = parts;
  }

  async restore(): Promise<void> {
    const kept = await this.#parts.db.getMeta<Kept>(KEY);
    if (kept == null || !CHOICES.has(kept.state)) return;
    this.#untold = kept.untold === true;
    this.#parts.store.setState({ chosenPresence: kept.state });
  }

  choose(state: ChosenPresence): void {
    this.noted(state);
    this.#parts.link.tabs?.share({ kind: 'presence', state });
    this.#untold = !this.#tell(state);
    this.#keep(state);
  }

  /** Chosen in another tab, which tells the server. */
  noted(state: ChosenPresence): void {
    this.#parts.store.setState({ chosenPresence: state });
  }

  /** There is a connection: what was chosen offline is told at once. */
  connected(): void {
    if (!this.#untold) return;
    const { chosenPresence } = this.#parts.store.getState();
    this.#untold = !this.#tell(chosenPresence);
    this.#keep(chosenPresence);
  }

  /** Takes over what another device chose meanwhile. Rejects when the server cannot be asked. */
  async refresh(): Promise<void> {
    const { api, store } = this.#parts;
    const { chosenPresence, me } = store.getState();
    if (me === null || this.#untold) return;
    const { state } = await api.presence(me.id);
    if (this.#untold || store.getState().chosenPresence !== chosenPresence) return;
    // Somebody who is connected and looks offline wants to look so.
    const own = state === 'offline' ? 'invisible' : state;
    store.setState({ chosenPresence: own });
    if (own !== chosenPresence) this.#keep(own);
  }

  #tell(state: ChosenPresence): boolean {
    // Without a status text the server keeps the one it has.
    return this.#parts.link.notify({ type: 'presence.set', state });
  }

  #keep(state: ChosenPresence): void {
    const kept: Kept = { state, untold: this.#untold };
    void this.#parts.db.putMeta(KEY, kept).catch(() => undefined);
  }
}
