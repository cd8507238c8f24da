/**
 * The one door to the generated types: everything else imports wire names from here, so a regenerated file
 * changes one module at most. Answers of HTTP that have no schema name of their own are put together here.
 */
import type { components } from '@/generated/api';
import type { Member, Receipt } from '@/generated/frames';

export type {
  Attachment,
  ClientFrame,
  Conversation,
  ConversationPatch,
  ConversationState,
  Member,
  Message,
  MessageAck,
  MessageSend,
  OwnMembership,
  PresenceState,
  Reaction,
  Ready,
  ReadyConversations,
  Receipt,
  ServerFrame,
  User,
} from '@/generated/frames';

export type OwnUser = components['schemas']['OwnUser'];
export type Contact = components['schemas']['Contact'];
export type Problem = components['schemas']['Problem'];
/** What logging in and refreshing answer. */
export type SignedIn = components['schemas']['SignedIn'];
/** What registering answers: without tokens an e-mail address waits for its verification. */
export type Registered = components['schemas']['Registered'];
/** `at`: it had come that far by then at the latest; absent or null where the server does not know. */
export type MessageReceipt = components['schemas']['MemberReceipt'] & { at?: string | null };

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Marks = Pick<Receipt, 'delivered_seq' | 'read_seq'>;
export type Role = Member['role'];

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
