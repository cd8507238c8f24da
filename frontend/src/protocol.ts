/**
 * The one door to the generated types: everything else imports wire names from here, so a regenerated file
 * changes one module at most. Answers of HTTP that have no schema name of their own are put together here.
 */
import type { components } from '@/generated/api';
import type { Member, Message, Receipt, User } from '@/generated/frames';

export type {
  Attachment,
  ClientFrame,
  Conversation,
  ConversationState,
  Member,
  Message,
  MessageAck,
  MessageSend,
  OwnMembership,
  PresenceState,
  Reaction,
  Ready,
  Receipt,
  ServerFrame,
  User,
} from '@/generated/frames';

export type OwnUser = components['schemas']['OwnUser'];
export type DeviceSession = components['schemas']['Session'];
export type Problem = components['schemas']['Problem'];

export interface Contact {
  user: User;
  nickname: string | null;
  created_at: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** Register, log in and refresh answer alike; without tokens an e-mail address waits for its verification. */
export interface SignedIn {
  user: OwnUser;
  access_token?: string;
  refresh_token?: string;
  expires_in?: number;
}

export interface MessageReceipt {
  user_id: string;
  state: 'queued' | 'delivered' | 'read';
}

export type Marks = Pick<Receipt, 'delivered_seq' | 'read_seq'>;
export type Role = Member['role'];
export type MessageKind = Message['kind'];

/** Close codes a client must tell apart (protocol, section 2). */
export const CloseCode = {
  goingAway: 1001,
  tooLarge: 1009,
  internal: 1011,
  restart: 1012,
  protocolViolation: 4400,
  unauthenticated: 4401,
  tooSlow: 4408,
  tooMany: 4429,
} as const;

/** Refusals after which the same `client_message_id` may be sent again. */
export const RETRYABLE: ReadonlySet<string> = new Set(['rate_limited', 'unavailable', 'internal']);
