import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Member, OwnUser, ServerFrame, User } from '@/protocol';
import { EMPTY_WINDOW } from './messages';
import { applyFrames, dropConversations, dropPending, markRead } from './reduce';
import { type ChatState, EMPTY, type MessageWindow, type Notice, type PendingMessage } from './state';

export type ChatStore = StoreApi<ChatState>;

/** The store of one signed-in account. Views read it; only the session writes to it. */
export function createChatStore(initial: Partial<ChatState> = {}): ChatStore {
  return createStore<ChatState>(() => ({ ...EMPTY, ...initial }));
}

/** All state changes by the session, except plain `setState` of whole slices. */
export class Changes {
  readonly #store: ChatStore;
  #nextNotice = 1;

  constructor(store: ChatStore) {
    this.#store = store;
  }

  /** Applies several frames as one change for subscribers. */
  frames(frames: readonly ServerFrame[], now: number): void {
    this.#store.setState((state) => applyFrames(state, frames, now));
  }

  /** Removes the conversations that the user left. */
  left(ids: readonly string[]): void {
    if (ids.length > 0) this.#store.setState((state) => dropConversations(state, ids));
  }

  me(me: OwnUser): void {
    this.#store.setState({ me });
    this.people([me]);
  }

  people(people: readonly User[]): void {
    if (people.length === 0) return;
    this.#store.setState((state) => ({
      people: { ...state.people, ...Object.fromEntries(people.map((one) => [one.id, one])) },
    }));
  }

  members(conversationId: string, members: readonly Member[]): void {
    this.people(members.map((member) => member.user));
    const byId = Object.fromEntries(members.map((member) => [member.user.id, member]));
    this.#store.setState((state) => ({ members: { ...state.members, [conversationId]: byId } }));
  }

  window(conversationId: string, change: (window: MessageWindow) => MessageWindow): void {
    this.#store.setState((state) => {
      const known = state.windows[conversationId] ?? EMPTY_WINDOW;
      const next = change(known);
      return next === known ? state : { windows: { ...state.windows, [conversationId]: next } };
    });
  }

  /** Adds the record, or replaces the record with its id. The list stays in the order of writing. */
  pending(record: PendingMessage): void {
    this.#store.setState((state) => {
      const others = (state.pending[record.conversation_id] ?? []).filter(
        (one) => one.client_message_id !== record.client_message_id,
      );
      const list = [...others, record].sort((a, b) => a.order - b.order);
      return { pending: { ...state.pending, [record.conversation_id]: list } };
    });
  }

  dropPending(clientMessageId: string): void {
    this.#store.setState((state) => dropPending(state, clientMessageId));
  }

  read(conversationId: string, seq: number): void {
    this.#store.setState((state) => markRead(state, conversationId, seq));
  }

  draft(conversationId: string, text: string): void {
    this.#store.setState((state) => ({ drafts: { ...state.drafts, [conversationId]: text } }));
  }

  /** Removes expired typing states. Returns true while some remain. */
  expireTyping(now: number): boolean {
    let left = false;
    this.#store.setState((state) => {
      const typing: ChatState['typing'] = {};
      let changed = false;
      for (const [conversationId, people] of Object.entries(state.typing)) {
        const alive = Object.entries(people).filter(([, until]) => until > now);
        if (alive.length !== Object.keys(people).length) changed = true;
        if (alive.length > 0) {
          typing[conversationId] = Object.fromEntries(alive);
          left = true;
        }
      }
      return changed ? { typing } : state;
    });
    return left;
  }

  notice(code: Notice['code'], detail: string | null = null): void {
    this.#store.setState((state) =>
      state.notices.some((one) => one.code === code && one.detail === detail)
        ? state
        : { notices: [...state.notices, { id: this.#nextNotice++, code, detail }] },
    );
  }

  dismiss(id: number): void {
    this.#store.setState((state) => ({ notices: state.notices.filter((one) => one.id !== id) }));
  }
}
