/** Contacts with their nicknames, and the block list: from the server, with a copy on the device. */
import type { Api } from '@/api/endpoints';
import { entriesOf, isContact, isUser } from '@/offline/checked';
import type { ChatDb } from '@/offline/db';
import type { Contact } from '@/protocol';
import { omit } from '@/store/reduce';
import type { ChatState } from '@/store/state';
import type { Changes, ChatStore } from '@/store/store';

const KEY = 'contacts';

type Kept = Pick<ChatState, 'contacts' | 'blocked'>;

export class Contacts {
  readonly #parts: { store: ChatStore; changes: Changes; db: ChatDb; api: Api };

  constructor(parts: { store: ChatStore; changes: Changes; db: ChatDb; api: Api }) {
    this.#parts = parts;
  }

  async restore(): Promise<void> {
    const kept = await this.#parts.db.getMeta<Kept>(KEY);
    if (kept == null) return;
    this.#parts.store.setState({
      contacts: entriesOf(kept.contacts, isContact),
      blocked: entriesOf(kept.blocked, isUser),
    });
  }

  async load(): Promise<void> {
    const { api, changes } = this.#parts;
    const [contacts, blocked] = await Promise.all([api.contacts(), api.blocked()]);
    const people = blocked.map((one) => one.user);
    changes.people([...contacts.map((one) => one.user), ...people]);
    this.#put({
      contacts: Object.fromEntries(contacts.map((one) => [one.user.id, one])),
      blocked: Object.fromEntries(people.map((one) => [one.id, one])),
    });
  }

  async add(userId: string): Promise<void> {
    this.#putContact(await this.#parts.api.putContact(userId));
  }

  /** Sets a nickname that only this user sees, and adds the contact. An empty one removes it. */
  async rename(userId: string, nickname: string): Promise<void> {
    this.#putContact(await this.#parts.api.putContact(userId, nickname.trim() || null));
  }

  /** Also removes their nickname. */
  async remove(userId: string): Promise<void> {
    await this.#parts.api.deleteContact(userId);
    this.#put({ contacts: omit(this.#parts.store.getState().contacts, userId) });
  }

  async setBlocked(userId: string, isBlocked: boolean): Promise<void> {
    const { api, store } = this.#parts;
    if (isBlocked) await api.block(userId);
    else await api.unblock(userId);
    const { blocked, people } = store.getState();
    const person = people[userId];
    this.#put({
      blocked: isBlocked && person !== undefined ? { ...blocked, [userId]: person } : omit(blocked, userId),
    });
  }

  #putContact(contact: Contact): void {
    this.#put({ contacts: { ...this.#parts.store.getState().contacts, [contact.user.id]: contact } });
  }

  #put(change: Partial<Kept>): void {
    this.#parts.store.setState(change);
    this.keep();
  }

  /** Stores the current lists on the device. */
  keep(): void {
    const { db, store } = this.#parts;
    const { contacts, blocked } = store.getState();
    void db.putMeta(KEY, { contacts, blocked } satisfies Kept).catch(() => undefined);
  }
}
