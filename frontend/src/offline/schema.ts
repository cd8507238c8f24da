import { Dexie, type EntityTable, type Table } from 'dexie';
import type { Conversation, Member, Message, User } from '@/protocol';
import type { PendingMessage } from '@/store/state';

export interface DraftRow {
  conversation_id: string;
  text: string;
}

export interface KnownRow {
  conversation_id: string;
  rev: number;
}

export interface MembersRow {
  conversation_id: string;
  members: Member[];
}

export interface MetaRow {
  key: string;
  value: unknown;
}

/** One database for each account, so that two users of one machine never read each other's messages. */
export class ChatDexie extends Dexie {
  declare conversations: EntityTable<Conversation, 'id'>;
  declare messages: Table<Message, [string, number]>;
  declare people: EntityTable<User, 'id'>;
  declare members: EntityTable<MembersRow, 'conversation_id'>;
  declare known: EntityTable<KnownRow, 'conversation_id'>;
  declare drafts: EntityTable<DraftRow, 'conversation_id'>;
  declare outbox: EntityTable<PendingMessage, 'client_message_id'>;
  declare meta: EntityTable<MetaRow, 'key'>;

  constructor(accountId: string) {
    super(databaseName(accountId));
    // A new version adds a `stores` with its `upgrade`; earlier ones stay, because devices upgrade from all of them.
    this.version(1).stores({
      conversations: 'id',
      messages: '[conversation_id+seq], id',
      people: 'id',
      members: 'conversation_id',
      known: 'conversation_id',
      drafts: 'conversation_id',
      outbox: 'client_message_id, conversation_id',
      meta: 'key',
    });
  }
}

export function databaseName(accountId: string): string {
  return `chat-mvp:${accountId}`;
}
