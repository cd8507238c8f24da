/** User actions on messages and conversations: shown immediately, reverted when the server refuses. */
import type { Api, NewConversation, OwnSettings } from '@/api/endpoints';
import type { Clock } from '@/lib/clock';
import { uuidv7 } from '@/lib/ids';
import { isSameEmoji } from '@/lib/text';
import type { ChatDb } from '@/offline/db';
import type { Conversation, Message, Reaction, Role } from '@/protocol';
import { RequestError } from '@/realtime/client';
import type { Line } from '@/realtime/link';
import type { Outbox } from '@/realtime/outbox';
import { indexOfSeq } from '@/store/messages';
import { putConversation } from '@/store/reduce';
import type { PendingMessage } from '@/store/state';
import type { Changes, ChatStore } from '@/store/store';
import type { Persister } from './persister';
import type { UnreadMarks } from './unread';

/** The server ends "is typing" after 6 s. The client repeats it a little earlier, and never more often than this. */
const TYPING_REPEAT_MS = 4_000;
/** The protocol's limit for `presence.subscribe`. */
const MOST_WATCHED = 200;

export interface ActionParts {
  store: ChatStore;
  changes: Changes;
  db: ChatDb;
  api: Api;
  link: Line;
  outbox: Outbox;
  persister: Persister;
  clock: Clock;
  unread: UnreadMarks;
}

export class Actions {
  readonly #parts: ActionParts;
  /** When "is typing" was last sent and where it is still active, by conversation. */
  readonly #typingSaid = new Map<string, number>();
  readonly #typing = new Set<string>();
  #watched: string[] = [];

  constructor(parts: ActionParts) {
    this.#parts = parts;
  }

  /** Resolves when the message would survive a crash; the state shows the result. */
  send(conversationId: string, text: string, replyTo: string | null = null): Promise<void> {
    const { clock, outbox } = this.#parts;
    // The message ends "is typing" for everyone.
    this.#typing.delete(conversationId);
    return outbox.enqueue({
      client_message_id: uuidv7(clock.now()),
      conversation_id: conversationId,
      text,
      reply_to: replyTo,
      created_at: new Date(clock.now()).toISOString(),
    });
  }

  retry(record: PendingMessage): Promise<void> {
    return this.#parts.outbox.retry(record);
  }

  async discard(record: PendingMessage): Promise<void> {
    const { client_message_id: clientMessageId, conversation_id: conversationId } = record;
    this.#parts.changes.dropPending(clientMessageId);
    this.#parts.link.tabs?.share({ kind: 'pending_gone', clientMessageId, conversationId });
    await this.#parts.outbox.discard(record.client_message_id);
  }

  edit(message: Message, text: string): Promise<void> {
    const now = new Date(this.#parts.clock.now()).toISOString();
    return this.#optimistic(message, { ...message, text, edited_at: now }, () =>
      this.#parts.link.request({ type: 'message.edit', message_id: message.id, text }),
    );
  }

  remove(message: Message): Promise<void> {
    const now = new Date(this.#parts.clock.now()).toISOString();
    return this.#optimistic(message, { ...message, text: '', attachments: [], deleted_at: now }, () =>
      this.#parts.link.request({ type: 'message.delete', message_id: message.id }),
    );
  }

  /** Deletes the message for everyone in the conversation. */
  pin(message: Message, on: boolean): Promise<void> {
    return this.#optimistic(message, { ...message, pinned: on }, () => this.#parts.api.pin(message.id, on));
  }

  /** Adds the user's reaction, or removes it when it exists. */
  react(message: Message, emoji: string): Promise<void> {
    const me = this.#parts.store.getState().me?.id ?? '';
    const mine = message.reactions.some((one) => isSameEmoji(one.emoji, emoji) && one.user_ids.includes(me));
    const shown = { ...message, reactions: toggle(message.reactions, emoji, me, !mine) };
    return this.#optimistic(message, shown, () =>
      this.#parts.link.request({
        type: mine ? 'reaction.remove' : 'reaction.add',
        message_id: message.id,
        emoji,
      }),
    );
  }

  /** The user has seen everything up to `seq`. The server learns it now or at the next connect. */
  read(conversationId: string, seq: number): void {
    const { changes, link, persister, store, unread } = this.#parts;
    unread.readUpTo(conversationId, seq);
    const before = store.getState().conversations[conversationId]?.me.read_seq ?? 0;
    if (seq <= before) return;
    changes.read(conversationId, seq);
    persister.conversation(conversationId);
    link.notify({ type: 'read', conversation_id: conversationId, seq });
    link.tabs?.share({ kind: 'read', conversationId, seq });
  }

  typing(conversationId: string, writing: boolean): void {
    const { clock, link } = this.#parts;
    if (writing) {
      const said = this.#typingSaid.get(conversationId);
      if (said !== undefined && clock.now() - said < TYPING_REPEAT_MS) return;
      this.#typingSaid.set(conversationId, clock.now());
      this.#typing.add(conversationId);
      link.notify({ type: 'typing', conversation_id: conversationId, state: 'start' });
    } else if (this.#typing.delete(conversationId)) {
      link.notify({ type: 'typing', conversation_id: conversationId, state: 'stop' });
    }
  }

  /** Creates or finds a conversation and returns its id. */
  async start(body: NewConversation): Promise<string> {
    const conversation = await this.#parts.api.createConversation(body);
    this.#put(conversation);
    return conversation.id;
  }

  async updateConversation(id: string, body: { name?: string; description?: string }): Promise<void> {
    this.#put(await this.#parts.api.updateConversation(id, body));
  }

  async leave(id: string): Promise<void> {
    await this.#parts.api.leave(id);
    this.#parts.changes.left([id]);
    this.#parts.persister.left(id);
  }

  /** Changes the user's own settings of a conversation: shown immediately, reverted when refused. */
  async own(id: string, settings: Omit<OwnSettings, 'unread_from'>): Promise<void> {
    const before = this.#parts.store.getState().conversations[id];
    if (before === undefined) return;
    this.#put({ ...before, me: { ...before.me, ...settings } });
    try {
      await this.#parts.api.ownSettings(id, settings);
    } catch (error) {
      // Meanwhile other things may have changed, or the conversation may be gone.
      const now = this.#parts.store.getState().conversations[id];
      const unchanged = (key: string) =>
        now?.me[key as keyof typeof settings] === settings[key as keyof typeof settings];
      const old = Object.entries(before.me).filter(([key]) => key in settings && unchanged(key));
      if (now !== undefined) this.#put({ ...now, me: { ...now.me, ...Object.fromEntries(old) } });
      throw error;
    }
  }

  async loadMembers(id: string): Promise<void> {
    const { api, changes, db, store } = this.#parts;
    if (store.getState().members[id] === undefined) {
      const cached = await db.members(id);
      const { members, people } = store.getState();
      // A user may have changed since the list was stored.
      if (cached.length > 0 && members[id] === undefined)
        changes.members(
          id,
          cached.map((one) => ({ ...one, user: people[one.user.id] ?? one.user })),
        );
    }
    const members = await api.members(id);
    changes.members(id, members);
    await db.putMembers(id, members).catch(() => undefined);
    this.#watched = members.slice(0, MOST_WATCHED).map((member) => member.user.id);
    this.watchAgain();
  }

  /** Fetches the presence of the other user of an open direct conversation. A new connection sends it anyway. */
  watch(userId: string): void {
    if (this.#parts.store.getState().presence[userId] !== undefined) return;
    this.#watched = [userId];
    this.watchAgain();
  }

  /** Presence subscriptions end with each connection. */
  watchAgain(): void {
    if (this.#watched.length === 0) return;
    this.#parts.link.notify({ type: 'presence.subscribe', user_ids: this.#watched });
  }

  async addMember(id: string, userId: string): Promise<void> {
    await this.#parts.api.addMember(id, userId);
    await this.loadMembers(id);
  }

  async removeMember(id: string, userId: string): Promise<void> {
    await this.#parts.api.removeMember(id, userId);
    await this.loadMembers(id);
  }

  async setRole(id: string, userId: string, role: Role): Promise<void> {
    await this.#parts.api.setRole(id, userId, role);
    await this.loadMembers(id);
  }

  async updateMe(body: Parameters<Api['updateMe']>[0]): Promise<void> {
    const me = await this.#parts.api.updateMe(body);
    this.#parts.changes.me(me);
    await this.#parts.db.putMeta('me', me);
  }

  #put(conversation: Conversation): void {
    this.#parts.store.setState((state) => putConversation(state, conversation));
    this.#parts.persister.conversation(conversation.id);
    this.#parts.persister.people();
  }

  /** The shown copy keeps its `rev`, so the server's next version replaces it in any case. */
  async #optimistic(before: Message, shown: Message, request: () => Promise<unknown>): Promise<void> {
    this.#force(shown);
    try {
      await request();
    } catch (error) {
      if (this.#current(shown) === shown) this.#force(before);
      throw error instanceof Error ? error : new RequestError('internal', String(error));
    }
  }

  #current(message: Message): Message | undefined {
    const items = this.#parts.store.getState().windows[message.conversation_id]?.items ?? [];
    return items[indexOfSeq(items, message.seq)];
  }

  #force(message: Message): void {
    this.#parts.changes.window(message.conversation_id, (window) => {
      const index = indexOfSeq(window.items, message.seq);
      return index < 0 ? window : { ...window, items: window.items.with(index, message) };
    });
  }
}

function toggle(reactions: Reaction[], emoji: string, userId: string, on: boolean): Reaction[] {
  const known = reactions.find(
    (one) => isSameEmoji(one.emoji, emoji) && (on || one.user_ids.includes(userId)),
  );
  if (on && known === undefined) return [...reactions, { emoji, count: 1, user_ids: [userId] }];
  return reactions
    .map((one) => {
      if (one !== known) return one;
      const others = one.user_ids.filter((id) => id !== userId);
      const user_ids = on ? [...others, userId] : others;
      return { ...one, user_ids, count: one.count + user_ids.length - one.user_ids.length };
    })
    .filter((one) => one.count > 0);
}
