/** Everything for one signed-in account. The views use only this. */
import type { Api } from '@/api/endpoints';
import type { Clock } from '@/lib/clock';
import { isUser } from '@/offline/checked';
import type { ChatDb, Snapshot } from '@/offline/db';
import type { Conversation, ConversationPatch, MessageAck, OwnUser, ServerFrame, User } from '@/protocol';
import { Acknowledger } from '@/realtime/acks';
import type { Resume } from '@/realtime/client';
import type { Line } from '@/realtime/link';
import type { ConnectionState } from '@/realtime/machine';
import { Outbox } from '@/realtime/outbox';
import type { Note } from '@/realtime/shared';
import { Timings } from '@/realtime/timings';
import type { LinkState, PendingMessage } from '@/store/state';
import { Changes, type ChatStore, createChatStore } from '@/store/store';
import { Actions } from './actions';
import { Contacts } from './contacts';
import { Drafts } from './drafts';
import { History } from './history';
import { isPage } from './own-list';
import { OwnPresence } from './own-presence';
import { Persister } from './persister';
import { Sync } from './sync';
import { UnreadMarks } from './unread';

/** Limit for messages on the device, over all conversations. Each keeps its newest 50 in any case. */
const CACHE_BUDGET = 30_000;
/** Enough to fill a screen. The rest is loaded when the conversation is opened. */
const FIRST_PAGE = 50;
const PREFETCH_DELAY_MS = 1_500;
/** Another tab announces a message a little before it is stored. */
const NOTED_DELAY_MS = 40;

/** Profile fields that sign-in does not return. They are fetched once there is a connection. */
const NOT_YET_KNOWN = {
  email: '',
  email_verified: false,
  role: 'member' as const,
  status_text: '',
  profile: {},
  settings: {},
};

const NOTHING: Snapshot = { conversations: [], people: [], outbox: [], drafts: {} };

export interface SessionOptions {
  accountId: string;
  db: ChatDb;
  api: Api;
  /** Creates the connection. `resume` returns what `connect` sends. */
  link: (resume: () => Promise<Resume>) => Line;
  clock: Clock;
  random: () => number;
}

export class Session {
  readonly accountId: string;
  readonly store: ChatStore;
  readonly changes: Changes;
  readonly actions: Actions;
  readonly history: History;
  readonly drafts: Drafts;
  readonly contacts: Contacts;
  readonly unread: UnreadMarks;
  readonly presence: OwnPresence;
  readonly api: Api;
  readonly link: Line;
  readonly timings = new Timings();
  readonly #db: ChatDb;
  readonly #clock: Clock;
  readonly #sync: Sync;
  readonly #outbox: Outbox;
  readonly #persister: Persister;
  readonly #acks: Acknowledger;
  readonly #background = new AbortController();
  /** The read positions that the server had at the last connect. */
  #serverRead = new Map<string, number>();
  #typingTimer = false;

  constructor(options: SessionOptions) {
    const { db, api, clock, random } = options;
    this.accountId = options.accountId;
    this.api = api;
    this.#db = db;
    this.#clock = clock;
    const store = createChatStore();
    const changes = new Changes(store);
    this.store = store;
    this.changes = changes;
    const persister = new Persister({
      db,
      store,
      clock,
      stored: (conversationId, seq) => this.#acks.add(conversationId, seq),
      failed: () => changes.notice('storage_full'),
      writes: () => this.#leads(),
    });
    this.#persister = persister;
    const sync = new Sync({
      store,
      changes,
      db,
      api,
      persister,
      clock,
      reconnect: () => this.link.restart(),
      writes: () => this.#leads(),
      share: (ids) => this.#shareConversations(ids),
      isOpen: (id) => this.history.isOpen(id),
    });
    this.#sync = sync;
    this.link = options.link(() => sync.resume());
    const link = this.link;
    this.#acks = new Acknowledger(clock, (conversation_id, seq) => {
      // A read message is delivered, and the server already knows.
      if ((store.getState().conversations[conversation_id]?.me.read_seq ?? 0) >= seq) return;
      link.notify({ type: 'delivered', conversation_id, seq });
    });
    const written = (record: PendingMessage) => link.tabs?.share({ kind: 'pending', record });
    this.#outbox = new Outbox({
      storage: db,
      clock,
      random,
      confirmed: (ms) => this.timings.add('sendToAck', ms),
      changed: (record) => {
        changes.pending(record);
        written(record);
      },
      send: async (record) =>
        (await link.request({
          type: 'message.send',
          client_message_id: record.client_message_id,
          conversation_id: record.conversation_id,
          text: record.text,
          ...(record.reply_to === null ? {} : { reply_to: record.reply_to }),
        })) as MessageAck,
    });
    this.drafts = new Drafts({ db, api, changes, store, clock, tabs: () => link.tabs });
    this.history = new History({ store, changes, db, api, sync });
    this.contacts = new Contacts({ store, changes, db, api });
    this.unread = new UnreadMarks({ store, db, api, tabs: () => link.tabs });
    this.presence = new OwnPresence({ store, db, api, link });
    this.actions = new Actions({
      store,
      changes,
      db,
      api,
      link,
      outbox: this.#outbox,
      persister,
      clock,
      unread: this.unread,
    });
    db.troubles?.on(() => changes.notice('storage_full'));
    link.frames.on((frame) => this.#receive(frame));
    link.states.on((state) => this.#connectionChanged(state));
    link.tabs?.notes.on((note) => this.#noted(note));
    link.tabs?.welcomed.on(() => void this.restore());
  }

  /**
   * Shows what the device has, with the messages of the conversation that is about to be drawn. Resolves before any
   * network response.
   */
  async restore(me: User | null = null, openId: string | null = null): Promise<void> {
    const [snapshot, storedMe, messages] = await Promise.all([
      // Unreadable data is fetched again. It must not prevent the page from starting.
      this.#db.snapshot().catch(() => NOTHING),
      this.#db.getMeta<OwnUser>('me').catch(() => undefined),
      openId === null ? [] : this.#db.messages(openId, FIRST_PAGE).catch(() => []),
      this.contacts.restore().catch(() => undefined),
      this.unread.restore().catch(() => undefined),
      this.presence.restore().catch(() => undefined),
    ]);
    const known = isUser(storedMe) ? storedMe : null;
    const own = me === null ? known : { ...NOT_YET_KNOWN, ...known, ...me };
    if (me !== null) await this.#db.putMeta('me', own).catch(() => undefined);
    const drafts = await this.drafts.restore(snapshot.drafts).catch(() => snapshot.drafts);
    this.store.setState((before) => ({
      me: own,
      conversations: Object.fromEntries(snapshot.conversations.map((one) => [one.id, one])),
      people: Object.fromEntries([...snapshot.people, ...(own ? [own] : [])].map((one) => [one.id, one])),
      drafts,
      loaded: before.loaded || snapshot.conversations.length > 0,
    }));
    if (openId !== null && messages.length > 0) {
      this.changes.window(openId, (window) =>
        window.items.length > 0 ? window : { ...window, items: messages, atStart: messages[0]?.seq === 1 },
      );
    }
    for (const record of snapshot.outbox) this.changes.pending(record);
    if (!this.#db.persistent) this.changes.notice('storage_memory');
  }

  start(): void {
    this.link.start();
  }

  networkChanged(online: boolean): void {
    this.link.networkChanged(online);
  }

  woke(): void {
    this.link.woke();
  }

  /** Stops everything; the outbox stays on the device. `last` runs before the database is closed. */
  async stop(last: () => Promise<void> = async () => undefined): Promise<void> {
    this.#background.abort();
    this.link.stop();
    this.#outbox.pause();
    await this.drafts.flush();
    await this.#persister.flush();
    await last();
    this.#db.close();
  }

  /** Removes the copy of the server's data and stops everything. Drafts and unsent messages stay on the device. */
  async dropCopy(): Promise<void> {
    await this.stop(() => this.#sync.forgetAll());
  }

  /** Stops everything and removes the account from this device. */
  async forget(): Promise<void> {
    this.#background.abort();
    this.link.stop();
    this.#outbox.pause();
    await this.#persister.flush();
    await this.#db.destroy();
  }

  /** Only the tab that owns the connection stores frames and sends queued messages. */
  #leads(): boolean {
    return this.link.tabs?.leads ?? true;
  }

  /** Changes made in another tab that the server does not repeat. */
  #noted(note: Note): void {
    switch (note.kind) {
      case 'pending':
        this.changes.pending(note.record);
        // The message is stored now or in a moment. Read it from there, so that every tab shows the same one.
        if (this.#leads()) this.#clock.after(NOTED_DELAY_MS, () => void this.#outbox.load());
        return;
      case 'pending_gone':
        this.changes.dropPending(note.clientMessageId);
        void this.#outbox.discard(note.clientMessageId);
        return;
      case 'read':
        this.changes.read(note.conversationId, note.seq);
        this.#persister.conversation(note.conversationId);
        return;
      case 'conversations':
        this.#sync.takeConversations(note.conversations);
        this.#followAll(note.conversations);
        return;
      case 'unread_from':
        this.unread.noted(note.conversationId, note.mark);
        return;
      case 'draft':
        this.drafts.noted(note.conversationId, note.text, note.untold);
        return;
      case 'presence':
        this.presence.noted(note.state);
        return;
    }
  }

  #receive(frame: ServerFrame): void {
    if (frame.type === 'ready') this.#serverRead = new Map();
    if (isPage(frame)) for (const line of frame.conversations) this.#serverRead.set(line.id, line.read_seq);
    if (!this.#sync.handle(frame)) return;
    if (frame.type === 'conversation.updated') this.#followPatch(frame.conversation);
    if (frame.type === 'user.updated' && this.#leads()) this.#keepProfiles();
    if (frame.type === 'block.updated' && this.#leads()) this.contacts.keep();
    if (frame.type === 'ready') this.presence.connected(this.#leads());
    if (frame.type === 'presence' && frame.user_id === this.accountId) this.presence.follow(frame.state);
    if (frame.type === 'typing') this.#watchTyping();
    if (frame.type === 'drained') this.#caughtUp();
  }

  #caughtUp(): void {
    this.store.setState({ loaded: true });
    if (!this.#leads()) return;
    void this.#outbox.load().then(() => this.#outbox.resume());
    this.#tellReads();
    this.actions.watchAgain();
    void this.#refresh();
    this.#clock.after(PREFETCH_DELAY_MS, () => void this.#prefetch());
  }

  /** Sends the read positions that changed without a connection. */
  #tellReads(): void {
    for (const conversation of Object.values(this.store.getState().conversations)) {
      const { read_seq: seq } = conversation.me;
      if (seq > 0 && seq > (this.#serverRead.get(conversation.id) ?? seq)) {
        this.link.notify({ type: 'read', conversation_id: conversation.id, seq });
      }
    }
  }

  /** Names, settings and the user's own marks have no `rev`: fetch what differs. */
  async #refresh(): Promise<void> {
    const meanwhile = this.#sync.meanwhile();
    try {
      const me = await this.api.me();
      this.changes.me(me);
      await this.#db.putMeta('me', me);
      await this.#refreshConversations();
      this.drafts.connected();
      await this.unread.connected();
      await this.contacts.load();
      await this.presence.refresh();
      this.#persister.people();
    } catch {
      // The connection works, so this is asked again at the next one; what is shown is not wrong, only older.
    } finally {
      // Profiles and blocks have no time: what was fetched may have put back one from before.
      const newer = meanwhile().filter((one) => one.type === 'user.updated' || one.type === 'block.updated');
      if (newer.length > 0) {
        this.changes.frames(newer, this.#clock.now());
        this.#keepProfiles();
        this.#persister.people();
      }
    }
  }

  /** Writes down where the profiles of users are kept beside their conversations. */
  #keepProfiles(): void {
    this.contacts.keep();
    void this.#db.putMeta('me', this.store.getState().me).catch(() => undefined);
  }

  /**
   * Fetches the latest conversations in any case, because a changed user name changes no conversation. Fetches further
   * pages only while something is missing.
   */
  async #refreshConversations(): Promise<void> {
    let meanwhile = this.#sync.meanwhile();
    try {
      for await (const page of this.api.conversationPages()) {
        this.#sync.takeConversations(page, meanwhile());
        this.#shareConversations(page.map((one) => one.id));
        this.#followAll(page);
        if (this.#sync.list.outdated.size === 0 || this.#background.signal.aborted) return;
        meanwhile = this.#sync.meanwhile();
      }
    } finally {
      meanwhile();
    }
  }

  #present(ids: readonly string[]): Conversation[] {
    const { conversations } = this.store.getState();
    return ids.flatMap((id) => conversations[id] ?? []);
  }

  /** As they are here, which is what was fetched with what changed since. */
  #shareConversations(ids: readonly string[]): void {
    this.link.tabs?.share({ kind: 'conversations', conversations: this.#present(ids) });
  }

  /** What other devices did to these conversations for all of them. */
  #followAll(fetched: readonly Conversation[]): void {
    for (const conversation of this.#present(fetched.map((one) => one.id))) {
      this.drafts.follow(conversation.id, conversation.me.draft, conversation.updated_at);
      if (this.#leads()) void this.unread.follow(conversation);
    }
  }

  #followPatch({ id, me, updated_at }: ConversationPatch): void {
    if (me?.draft !== undefined) this.drafts.follow(id, me.draft, updated_at);
    const conversation = this.store.getState().conversations[id];
    if (me?.unread_from !== undefined && conversation !== undefined && this.#leads())
      void this.unread.follow(conversation);
  }

  async #prefetch(): Promise<void> {
    try {
      await this.#sync.prefetch(this.#background.signal);
      const count = Math.max(1, Object.keys(this.store.getState().conversations).length);
      await this.#db.evict(Math.max(50, Math.floor(CACHE_BUDGET / count)), CACHE_BUDGET);
    } catch {
      // An optimisation for later; the next connect tries again.
    }
  }

  #connectionChanged(state: ConnectionState): void {
    this.store.setState({
      link: linkState(state),
      // The frame that ends "is typing" would not arrive.
      ...(state.name === 'connected' ? {} : { typing: {} }),
      ...(state.name === 'connected' && !state.catchingUp ? { loaded: true } : {}),
    });
    if (state.name !== 'connected' || !this.#leads()) this.#outbox.pause();
    if (state.name === 'closed' && state.reason === 'protocol') this.changes.notice('protocol_closed');
  }

  #watchTyping(): void {
    if (this.#typingTimer) return;
    this.#typingTimer = true;
    this.#clock.after(1_000, () => {
      this.#typingTimer = false;
      if (this.changes.expireTyping(this.#clock.now())) this.#watchTyping();
    });
  }
}

function linkState(state: ConnectionState): LinkState {
  switch (state.name) {
    case 'connected':
      return state.catchingUp ? 'catching_up' : 'online';
    case 'connecting':
      return state.attempt === 0 ? 'connecting' : 'offline';
    case 'waiting':
    case 'disconnected':
      return 'offline';
    case 'closed':
      return 'closed';
  }
}
