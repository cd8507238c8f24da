/** What the window shows, normalised. Values are replaced, never changed in place. */
import type { Contact, Conversation, Member, Message, OwnUser, PresenceState, User } from '@/protocol';

/** A run of messages without a gap in `seq`, ascending. */
export interface MessageWindow {
  items: Message[];
  /** Nothing older can be had. */
  atStart: boolean;
  /** Follows the newest message; false after a jump into the past. */
  atEnd: boolean;
}

/** A message of one's own that the server has not confirmed yet. */
export interface PendingMessage {
  client_message_id: string;
  conversation_id: string;
  text: string;
  reply_to: string | null;
  created_at: string;
  /** Ascending in the order of writing, across reloads. */
  order: number;
  state: 'waiting' | 'failed';
  /** The protocol's code, when failed. */
  error: string | null;
}

/**
 * "Unread from here": `count` messages of others stand between `seq` and `read`, the read mark when it was put. It
 * holds only as long as that mark stands there.
 */
export interface UnreadMark {
  seq: number;
  read: number;
  count: number;
}

/** Something written on this device that the server has not heard of. */
export interface UntoldDraft {
  /** What the server had when it was begun. */
  base: string;
  at: number;
}

/** How the person wants to be seen; `invisible` looks like offline to everybody else. */
export type ChosenPresence = 'online' | 'away' | 'dnd' | 'invisible';

export type LinkState = 'offline' | 'connecting' | 'catching_up' | 'online' | 'closed';

/** Things worth one quiet line: `code` names a text of the catalogue. */
export interface Notice {
  id: number;
  code: 'storage_memory' | 'storage_full' | 'update_ready' | 'protocol_closed' | 'request_failed';
  detail: string | null;
}

export interface ChatState {
  me: OwnUser | null;
  link: LinkState;
  conversations: Record<string, Conversation>;
  people: Record<string, User>;
  members: Record<string, Record<string, Member>>;
  windows: Record<string, MessageWindow>;
  pending: Record<string, PendingMessage[]>;
  /** Until when somebody counts as typing (milliseconds since the epoch), by conversation and person. */
  typing: Record<string, Record<string, number>>;
  presence: Record<string, PresenceState>;
  drafts: Record<string, string>;
  contacts: Record<string, Contact>;
  blocked: Record<string, User>;
  unreadFrom: Record<string, UnreadMark>;
  chosenPresence: ChosenPresence;
  notices: Notice[];
  unreadNotifications: number;
  /** The conversation list is known, from the cache or from the server: an empty one is truly empty. */
  loaded: boolean;
}

export const EMPTY: ChatState = {
  me: null,
  link: 'connecting',
  conversations: {},
  people: {},
  members: {},
  windows: {},
  pending: {},
  typing: {},
  presence: {},
  drafts: {},
  contacts: {},
  blocked: {},
  unreadFrom: {},
  chosenPresence: 'online',
  notices: [],
  unreadNotifications: 0,
  loaded: false,
};
