/** The state that the interface shows, normalised. Values are replaced, never changed in place. */
import type { Contact, Conversation, Member, Message, OwnUser, PresenceState, User } from '@/protocol';

/** A run of messages without a gap in `seq`, ascending. */
export interface MessageWindow {
  items: Message[];
  /** No older messages exist. */
  atStart: boolean;
  /** Follows the newest message; false after a jump into the past. */
  atEnd: boolean;
}

/** A message of the user that the server has not confirmed yet. */
export interface PendingMessage {
  client_message_id: string;
  conversation_id: string;
  text: string;
  reply_to: string | null;
  created_at: string;
  /** Ascending in the order of writing, across reloads. */
  order: number;
  state: 'waiting' | 'failed';
  /** The protocol's error code, when failed. */
  error: string | null;
}

/**
 * "Unread from here": `count` messages of others from `seq` to `read`, the read position when the mark was set. The
 * mark holds only while the read position stays there.
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

/** Notices for the user: `code` names a text of the catalogue. */
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
  /** When each typing state expires (milliseconds since the epoch), by conversation and user. */
  typing: Record<string, Record<string, number>>;
  presence: Record<string, PresenceState>;
  drafts: Record<string, string>;
  contacts: Record<string, Contact>;
  blocked: Record<string, User>;
  unreadFrom: Record<string, UnreadMark>;
  chosenPresence: ChosenPresence;
  notices: Notice[];
  unreadNotifications: number;
  /** The conversation list is loaded, from the cache or the server: an empty list is really empty. */
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
