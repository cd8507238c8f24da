/**
 * The presence that the user chose. The server keeps it for the account. The device keeps it too, so that it shows
 * immediately after a reload, and so that a choice made offline reaches the server later.
 */
import type { Api } from '@/api/endpoints';
import type { ChatDb } from '@/offline/db';
import type { PresenceState } from '@/protocol';
import type { Line } from '@/realtime/link';
import type { ChosenPresence } from '@/store/state';
import type { ChatStore } from '@/store/store';

const KEY = 'presence';
const CHOICES: ReadonlySet<unknown> = new Set<ChosenPresence>(['online', 'away', 'dnd', 'invisible']);

interface Kept {
  state: ChosenPresence;
  /** The server does not have it yet. */
  untold: boolean;
}

export class OwnPresence {
  readonly #parts: { store: ChatStore; db: ChatDb; api: Api; link: Line };
  #untold = false;
  /** The next of these come to this device because it asked. */
  #answers = 0;

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

  /** Chosen in another tab, which sends it to the server. */
  noted(state: ChosenPresence): void {
    this.#parts.store.setState({ chosenPresence: state });
  }

  /** Connected: one of the tabs sends a choice that was made offline. */
  connected(leads: boolean): void {
    this.#answers = 0;
    if (!this.#untold || !leads) return;
    const { chosenPresence } = this.#parts.store.getState();
    this.#untold = !this.#tell(chosenPresence);
    this.#keep(chosenPresence);
  }

  /** Applies a choice that the server reports: of this device, or of another one. */
  follow(state: PresenceState['state']): void {
    if (this.#answers > 0) this.#answers -= 1;
    else if (!this.#untold) this.#adopt(state);
  }

  /** Takes over the choice of another device. Rejects when the server cannot be reached. */
  async refresh(): Promise<void> {
    const { api, store } = this.#parts;
    const { chosenPresence, me } = store.getState();
    if (me === null || this.#untold) return;
    const { state } = await api.presence(me.id);
    if (this.#untold || store.getState().chosenPresence !== chosenPresence) return;
    this.#adopt(state);
  }

  #adopt(state: PresenceState['state']): void {
    // A user who is connected and appears offline has chosen to be invisible.
    const own = state === 'offline' ? 'invisible' : state;
    if (own === this.#parts.store.getState().chosenPresence) return;
    this.noted(own);
    this.#keep(own);
  }

  #tell(state: ChosenPresence): boolean {
    // Without a status text the server keeps the one it has.
    const told = this.#parts.link.notify({ type: 'presence.set', state });
    if (told) this.#answers += 1;
    return told;
  }

  #keep(state: ChosenPresence): void {
    const kept: Kept = { state, untold: this.#untold };
    void this.#parts.db.putMeta(KEY, kept).catch(() => undefined);
  }
}
