/**
 * The server's side of the protocol in memory, as far as the client's tests need it: durable state, sequence and
 * revision numbers, idempotent sends, catching up by `known`, receipts. It does not define the product; where it
 * differs from the real server, the end-to-end tests are right.
 */
import type {
  ClientFrame,
  Conversation,
  Member,
  Message,
  OwnUser,
  ServerFrame,
  SignedIn,
  User,
} from '@/protocol';
import { answerFrame } from './frames';
import { answerHttp, type FakeAnswer } from './http';
import { OwnPlaces } from './own-places';
import { FakeSocket } from './socket';

interface Account {
  user: OwnUser;
  password: string;
}

export interface Room {
  id: string;
  kind: 'direct' | 'group';
  name: string | null;
  createdAt: string;
  updatedAt: string;
  rev: number;
  messages: Message[];
  members: Map<
    string,
    { role: Member['role']; joinedSeq: number; delivered: number; read: number; joinedAt: string }
  >;
}

export class FakeServer {
  epoch = 'epoch-1';
  heartbeatS = 30;
  resumeLimit = 500;
  /** Conversations in `ready` and in each page after it. */
  listPage = 500;
  /** Conversations that one connect introduces. */
  introduced = 200;
  /** The maximum length of `known`; at that length no conversation is introduced. */
  mostKnown = 3_000;
  /** Every HTTP request, for assertions. */
  readonly requests: string[] = [];
  /** Set to make the next sends fail with this code. */
  refuse: { code: string; times: number; retryAfterMs?: number } | null = null;
  readonly accounts = new Map<string, Account>();
  readonly rooms = new Map<string, Room>();
  readonly sockets = new Set<FakeSocket>();
  readonly places = new OwnPlaces();
  /** Every frame that any client sent, for assertions. */
  readonly received: ClientFrame[] = [];
  /** The presence that users chose. */
  readonly presence = new Map<string, string>();
  /** Nicknames by owner and other user. */
  readonly contacts = new Map<string, Map<string, string | null>>();
  readonly #tokens = new Map<string, string>();
  #now = Date.parse('2026-11-20T09:00:00.000Z');
  #nextId = 1;
  /** The revision at which each message was added. */
  readonly #born = new Map<string, number>();

  id(): string {
    return (this.#nextId++).toString(16).padStart(24, '0');
  }

  now(): string {
    this.#now += 1_000;
    return new Date(this.#now).toISOString();
  }

  at(iso: string): void {
    this.#now = Date.parse(iso);
  }

  addPerson(username: string, displayName = username): OwnUser {
    const user: OwnUser = {
      id: this.id(),
      username,
      display_name: displayName,
      avatar_url: null,
      bio: '',
      created_at: this.now(),
      email: `${username}@example.org`,
      email_verified: false,
      role: 'member',
      status_text: '',
      profile: {},
      settings: {},
    };
    this.accounts.set(user.id, { user, password: 'correct horse battery' });
    return user;
  }

  addRoom(kind: Room['kind'], memberIds: string[], name: string | null = null): string {
    const now = this.now();
    const room: Room = {
      id: this.id(),
      kind,
      name,
      createdAt: now,
      updatedAt: now,
      rev: 0,
      messages: [],
      members: new Map(),
    };
    for (const [index, id] of memberIds.entries()) {
      const role = kind === 'group' && index === 0 ? 'owner' : 'member';
      room.members.set(id, { role, joinedSeq: 0, delivered: 0, read: 0, joinedAt: now });
    }
    this.rooms.set(room.id, room);
    for (const id of memberIds)
      this.toUser(id, { type: 'conversation.joined', conversation: this.conversation(room.id, id) });
    return room.id;
  }

  /** A user writes, from outside any tested connection. */
  say(roomId: string, senderId: string, text: string, extra: Partial<Message> = {}): Message {
    return this.store(roomId, senderId, this.id(), text, extra, null);
  }

  change(
    messageId: string,
    change: Partial<Message>,
    type: 'message.edited' | 'message.deleted' | 'message.reaction' | 'message.pinned',
  ): Message {
    const room = this.#roomOf(messageId);
    const index = room.messages.findIndex((one) => one.id === messageId);
    const message = { ...(room.messages[index] as Message), ...change, rev: ++room.rev };
    room.messages[index] = message;
    for (const id of room.members.keys()) this.toUser(id, { type, message });
    return message;
  }

  /** A user changes their profile: everyone who shares a conversation or a contact with them receives it. */
  profile(userId: string, change: Partial<User>): void {
    Object.assign((this.accounts.get(userId) as Account).user, change);
    for (const id of this.accounts.keys()) {
      const shares =
        this.contacts.get(id)?.has(userId) ||
        [...this.rooms.values()].some((room) => room.members.has(id) && room.members.has(userId));
      if (shares) this.toUser(id, { type: 'user.updated', user: this.publicOf(userId) });
    }
  }

  /** An admin changes what is the same for all members. */
  rename(roomId: string, name: string): void {
    const room = this.room(roomId);
    room.name = name;
    room.updatedAt = this.now();
    const conversation = { id: roomId, name, updated_at: room.updatedAt };
    for (const id of room.members.keys()) this.toUser(id, { type: 'conversation.updated', conversation });
  }

  mark(roomId: string, userId: string, seq: number, read: boolean): void {
    const room = this.room(roomId);
    const member = room.members.get(userId);
    if (member === undefined) return;
    member.delivered = Math.max(member.delivered, seq);
    if (read) member.read = Math.max(member.read, seq);
    for (const id of room.members.keys()) {
      this.toUser(id, {
        type: 'receipt',
        conversation_id: roomId,
        user_id: userId,
        delivered_seq: member.delivered,
        read_seq: member.read,
      });
    }
  }

  toUser(userId: string, frame: ServerFrame, except: FakeSocket | null = null): void {
    for (const socket of this.sockets)
      if (socket.userId === userId && socket !== except) socket.deliver(frame);
  }

  connect(deliver: (frame: ServerFrame) => void, closed: (code: number) => void): FakeSocket {
    const socket = new FakeSocket(this, deliver, closed);
    this.sockets.add(socket);
    return socket;
  }

  /** Closes connections from the server's side. */
  dropAll(code = 1006): void {
    for (const socket of [...this.sockets]) {
      this.sockets.delete(socket);
      socket.closed(code);
    }
  }

  conversation(roomId: string, userId: string): Conversation {
    const room = this.room(roomId);
    const me = room.members.get(userId) as NonNullable<ReturnType<Room['members']['get']>>;
    const others = [...room.members].filter(([id]) => id !== userId);
    const peerId = others[0]?.[0];
    const unread = room.messages.filter(
      (one) =>
        one.seq > me.read && one.kind === 'text' && one.sender_id !== userId && one.deleted_at === null,
    ).length;
    return {
      id: room.id,
      kind: room.kind,
      name: room.name,
      description: '',
      visibility: 'private',
      avatar_url: null,
      max_participants: null,
      settings: { post: 'members' },
      member_count: room.members.size,
      created_by: [...room.members.keys()][0] as string,
      created_at: room.createdAt,
      updated_at: room.updatedAt,
      last_seq: room.messages.length,
      rev: room.rev,
      last_message: room.messages.at(-1) ?? null,
      others_delivered_seq: Math.min(...others.map(([, one]) => one.delivered)),
      others_read_seq: Math.min(...others.map(([, one]) => one.read)),
      me: {
        role: me.role,
        joined_at: me.joinedAt,
        joined_seq: me.joinedSeq,
        delivered_seq: me.delivered,
        read_seq: me.read,
        unread,
        muted_until: null,
        pinned: false,
        archived: false,
        notify: 'all',
        ...this.places.of(roomId, userId, me.read),
      },
      ...(room.kind === 'direct' && peerId !== undefined ? { peer: this.publicOf(peerId) } : {}),
    };
  }

  history(
    roomId: string,
    query: { before?: number; after?: number; around?: number; limit?: number },
  ): Message[] {
    const { messages } = this.room(roomId);
    const limit = query.limit ?? 50;
    if (query.around !== undefined) {
      const start = Math.max(0, query.around - 1 - Math.floor(limit / 2));
      return messages.slice(start, start + limit);
    }
    if (query.after !== undefined) return messages.slice(query.after, query.after + limit);
    const end = query.before === undefined ? messages.length : query.before - 1;
    return messages.slice(Math.max(0, end - limit), end);
  }

  receive(socket: FakeSocket, frame: ClientFrame): void {
    this.received.push(frame);
    answerFrame(this, socket, frame);
  }

  http(
    method: string,
    path: string,
    body: Record<string, unknown> | undefined,
    token: string | null,
  ): FakeAnswer {
    this.requests.push(`${method} ${path}`);
    return answerHttp(this, method, path, body, token);
  }

  /** Sends to everyone except the connection it came `from`. */
  store(
    roomId: string,
    senderId: string,
    clientId: string,
    text: string,
    extra: Partial<Message>,
    from: FakeSocket | null,
  ): Message {
    const room = this.room(roomId);
    const message: Message = {
      id: this.id(),
      conversation_id: roomId,
      seq: room.messages.length + 1,
      rev: ++room.rev,
      sender_id: senderId,
      client_message_id: clientId,
      kind: 'text',
      text,
      priority: 'normal',
      attachments: [],
      reply_to: null,
      thread_root: null,
      thread: null,
      mentions: [],
      reactions: [],
      pinned: false,
      created_at: this.now(),
      edited_at: null,
      deleted_at: null,
      ...extra,
    };
    room.messages.push(message);
    this.#born.set(message.id, message.rev);
    for (const id of room.members.keys())
      this.toUser(id, { type: 'message.new', message, queued: false }, from);
    return message;
  }

  signIn(userId: string): SignedIn {
    const { user } = this.accounts.get(userId) as Account;
    const token = `token-${this.id()}`;
    this.#tokens.set(token, userId);
    return { user, access_token: token, refresh_token: `refresh-${userId}`, expires_in: 900 };
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Returns the owner of this access token. */
  userOf(token: string): string | undefined {
    return this.#tokens.get(token);
  }

  /** Returns the last message that existed at revision `rev`. */
  seqAt(room: Room, rev: number): number {
    return room.messages.filter((one) => (this.#born.get(one.id) ?? 0) <= rev).at(-1)?.seq ?? 0;
  }

  membersOf(roomId: string): Member[] {
    return [...this.room(roomId).members].map(([id, one]) => ({
      user: this.publicOf(id),
      role: one.role,
      joined_at: one.joinedAt,
      delivered_seq: one.delivered,
      read_seq: one.read,
    }));
  }

  publicOf(userId: string): User {
    const { user } = this.accounts.get(userId) as Account;
    const { id, username, display_name, avatar_url, bio, created_at } = user;
    return { id, username, display_name, avatar_url, bio, created_at };
  }

  room(id: string): Room {
    const room = this.rooms.get(id);
    if (room === undefined) throw new Error(`no conversation ${id}`);
    return room;
  }

  #roomOf(messageId: string): Room {
    for (const room of this.rooms.values())
      if (room.messages.some((one) => one.id === messageId)) return room;
    throw new Error(`no message ${messageId}`);
  }
}
