/**
 * The only module that imports the generated types. Everything else imports wire names from here, so a regenerated
 * file changes at most one module. HTTP responses without a schema name are defined here.
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
/** The response of login and refresh. */
export type SignedIn = components['schemas']['SignedIn'];
/** The response of registration: no tokens while the email address needs verification. */
export type Registered = components['schemas']['Registered'];
/** `at`: the latest time at which this state was reached; absent or null when the server does not know. */
export type MessageReceipt = components['schemas']['MemberReceipt'] & { at?: string | null };

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type Marks = Pick<Receipt, 'delivered_seq' | 'read_seq'>;
export type Role = Member['role'];

/** Close codes that a client must distinguish (protocol, section 2). */
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
