/**
 * The server's side of the protocol in memory, as far as the client's tests need it: durable state, sequence and
 * revision numbers, idempotent sends, catching up by `known`, receipts. It decides nothing about the product; where
 * it differs from the real server, the end-to-end tests are right.
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
import { OwnPlaces } from './own-places';
import { FakeSocket } from './socket';

export interface FakeAnswer {
  status: number;
  body?: unknown;
}

interface Account {
  user: OwnUser;
  password: string;
}

interface Room {
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
  /** Set to make the next sends fail with this code. */
  refuse: { code: string; times: number } | null = null;
  readonly accounts = new Map<string, Account>();
  readonly rooms = new Map<string, Room>();
  readonly sockets = new Set<FakeSocket>();
  readonly places = new OwnPlaces();
  /** Every frame any client sent, for assertions. */
  readonly received: ClientFrame[] = [];
  /** How people want to be seen. */
  readonly presence = new Map<string, string>();
  /** Nicknames by owner and other. */
  readonly contacts = new Map<string, Map<string, string | null>>();
  readonly #tokens = new Map<string, string>();
  #now = Date.parse('2026-11-20T09:00:00.000Z');
  #nextId = 1;

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
      email_verified: true,
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

  /** Somebody writes, from outside any tested connection. */
  say(roomId: string, senderId: string, text: string, extra: Partial<Message> = {}): Message {
    return this.#store(roomId, senderId, this.id(), text, extra, null).message;
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

  mark(roomId: string, userId: string, seq: number, read: boolean): void {
    const room = this.#room(roomId);
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

  /** Ends connections from the server's side. */
  dropAll(code = 1006): void {
    for (const socket of [...this.sockets]) {
      this.sockets.delete(socket);
      socket.closed(code);
    }
  }

  conversation(roomId: string, userId: string): Conversation {
    const room = this.#room(roomId);
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
      ...(room.kind === 'direct' && peerId !== undefined ? { peer: this.#public(peerId) } : {}),
    };
  }

  history(
    roomId: string,
    query: { before?: number; after?: number; around?: number; limit?: number },
  ): Message[] {
    const { messages } = this.#room(roomId);
    const limit = query.limit ?? 50;
    if (query.around !== undefined) {
      const start = Math.max(0, query.around - 1 - Math.floor(limit / 2));
      return messages.slice(start, start + limit);
    }
    if (query.after !== undefined) return messages.slice(query.after, query.after + limit);
    const end = query.before === undefined ? messages.length : query.before - 1;
    return messages.slice(Math.max(0, end - limit), end);
  }

  // ------------------------------------------------------------------------------------------------ frames

  receive(socket: FakeSocket, frame: ClientFrame): void {
    this.received.push(frame);
    if (frame.type === 'connect') {
      this.#connect(socket, frame);
      return;
    }
    const userId = socket.userId;
    if (userId === null) return;
    const ref = frame.ref ?? undefined;
    switch (frame.type) {
      case 'message.send': {
        if (this.refuse !== null && this.refuse.times > 0) {
          this.refuse.times -= 1;
          socket.deliver({ type: 'error', ref, code: this.refuse.code, detail: 'refused by the test' });
          return;
        }
        const roomId = frame.conversation_id as string;
        const known = this.#room(roomId).messages.find(
          (one) => one.sender_id === userId && one.client_message_id === frame.client_message_id,
        );
        const message =
          known ??
          this.#store(
            roomId,
            userId,
            frame.client_message_id,
            frame.text ?? '',
            { reply_to: frame.reply_to ?? null },
            socket,
          ).message;
        socket.deliver({
          type: 'message.ack',
          ref,
          client_message_id: frame.client_message_id,
          message_id: message.id,
          conversation_id: roomId,
          seq: message.seq,
          rev: message.rev,
          created_at: message.created_at,
          status: 'sent',
          duplicate: known !== undefined,
        });
        return;
      }
      case 'message.edit':
        this.change(frame.message_id, { text: frame.text, edited_at: this.now() }, 'message.edited');
        socket.deliver({ type: 'pong', ref, server_time: this.now() });
        return;
      case 'message.delete':
        this.change(frame.message_id, { text: '', deleted_at: this.now() }, 'message.deleted');
        socket.deliver({ type: 'pong', ref, server_time: this.now() });
        return;
      case 'reaction.add':
        this.change(
          frame.message_id,
          { reactions: [{ emoji: frame.emoji, count: 1, user_ids: [userId] }] },
          'message.reaction',
        );
        socket.deliver({ type: 'pong', ref, server_time: this.now() });
        return;
      case 'delivered':
      case 'read':
        this.mark(frame.conversation_id, userId, frame.seq, frame.type === 'read');
        return;
      case 'typing':
        for (const id of this.#room(frame.conversation_id).members.keys()) {
          if (id === userId) continue;
          this.toUser(id, {
            type: 'typing',
            conversation_id: frame.conversation_id,
            user_id: userId,
            state: frame.state,
          });
        }
        return;
      case 'presence.set':
        this.presence.set(userId, frame.state);
        return;
      case 'ping':
        socket.deliver({ type: 'pong', ref, server_time: this.now() });
        return;
      case 'token':
        socket.deliver({ type: 'token.accepted', ref, expires_in: 900 });
        return;
      default:
        return;
    }
  }

  #connect(socket: FakeSocket, frame: Extract<ClientFrame, { type: 'connect' }>): void {
    const userId = this.#tokens.get(frame.token ?? '');
    if (userId === undefined) {
      this.sockets.delete(socket);
      socket.closed(4401);
      return;
    }
    const known = frame.known ?? null;
    const rooms = [...this.rooms.values()].filter((room) => room.members.has(userId));
    const recovered = known !== null && (frame.epoch ?? this.epoch) === this.epoch;
    socket.userId = userId;
    socket.deliver({
      type: 'ready',
      connection_id: this.id(),
      user_id: userId,
      epoch: this.epoch,
      server_time: this.now(),
      heartbeat_s: this.heartbeatS,
      recovered,
      queued: 0,
      unread_notifications: 0,
      token_expires_in: 900,
      conversations: rooms.map((room) => {
        const one = this.conversation(room.id, userId);
        return {
          id: one.id,
          rev: one.rev,
          updated_at: one.updated_at,
          last_seq: one.last_seq,
          delivered_seq: one.me.delivered_seq,
          read_seq: one.me.read_seq,
          unread: one.me.unread,
          others_delivered_seq: one.others_delivered_seq,
          others_read_seq: one.others_read_seq,
        };
      }),
      limits: { frame_bytes: 131_072, text_chars: 10_000, sends_per_s: null },
    });
    for (const room of rooms) this.#catchUp(socket, userId, room, recovered ? known?.[room.id] : undefined);
    socket.deliver({ type: 'drained', count: 0 });
    socket.deliver({ type: 'presence.snapshot', items: [] });
  }

  #catchUp(socket: FakeSocket, userId: string, room: Room, from: number | undefined): void {
    if (from === undefined) {
      socket.deliver({ type: 'conversation.joined', conversation: this.conversation(room.id, userId) });
      const { delivered } = room.members.get(userId) as { delivered: number };
      for (const message of room.messages) {
        if (message.seq > delivered && message.sender_id !== userId) {
          socket.deliver({ type: 'message.new', message, queued: true });
        }
      }
      return;
    }
    const changed = room.messages.filter((one) => one.rev > from);
    if (changed.length > this.resumeLimit) {
      socket.deliver({
        type: 'conversation.reset',
        conversation_id: room.id,
        rev: room.rev,
        last_seq: room.messages.length,
      });
      return;
    }
    // A message is older when its first revision was known: the fake keeps none, so the sequence decides.
    const olderUpTo = this.#seqAt(room, from);
    const older = changed.filter((one) => one.seq <= olderUpTo).sort((a, b) => a.rev - b.rev);
    for (const message of older) socket.deliver({ type: 'message.changed', message });
    for (const message of changed.filter((one) => one.seq > olderUpTo)) {
      socket.deliver({ type: 'message.new', message, queued: false });
    }
  }

  readonly #born = new Map<string, number>();

  #seqAt(room: Room, rev: number): number {
    return room.messages.filter((one) => (this.#born.get(one.id) ?? 0) <= rev).at(-1)?.seq ?? 0;
  }

  #store(
    roomId: string,
    senderId: string,
    clientId: string,
    text: string,
    extra: Partial<Message>,
    from: FakeSocket | null,
  ) {
    const room = this.#room(roomId);
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
    return { message };
  }

  // -------------------------------------------------------------------------------------------------- HTTP

  signIn(userId: string): SignedIn {
    const { user } = this.accounts.get(userId) as Account;
    const token = `token-${this.id()}`;
    this.#tokens.set(token, userId);
    return { user, access_token: token, refresh_token: `refresh-${userId}`, expires_in: 900 };
  }

  revokeTokens(): void {
    this.#tokens.clear();
  }

  /** Answers what is below /api/v1. */
  http(
    method: string,
    path: string,
    body: Record<string, unknown> | undefined,
    token: string | null,
  ): FakeAnswer {
    const url = new URL(path, 'http://fake');
    const open = this.#openHttp(method, url.pathname, body);
    if (open !== null) return open;
    const userId = this.#tokens.get(token ?? '');
    if (userId === undefined) return problem(401, 'unauthenticated');
    return this.#ownHttp(method, url, body ?? {}, userId) ?? problem(404, 'not_found');
  }

  #openHttp(method: string, path: string, body: Record<string, unknown> | undefined): FakeAnswer | null {
    if (method !== 'POST') return null;
    const people = [...this.accounts.values()];
    if (path === '/auth/register') {
      if (people.some((one) => one.user.username === body?.username)) return problem(409, 'username_taken');
      const user = this.addPerson(String(body?.username));
      return { status: 201, body: this.signIn(user.id) };
    }
    if (path === '/auth/login') {
      const found = people.find(
        (one) => one.user.username === body?.login && one.password === body?.password,
      );
      return found === undefined
        ? problem(401, 'unauthenticated')
        : { status: 200, body: this.signIn(found.user.id) };
    }
    if (path === '/auth/refresh') {
      const id = String(body?.refresh_token ?? '').replace('refresh-', '');
      return this.accounts.has(id) ? { status: 200, body: this.signIn(id) } : problem(401, 'unauthenticated');
    }
    return null;
  }

  #ownHttp(method: string, url: URL, body: Record<string, unknown>, userId: string): FakeAnswer | null {
    const parts = url.pathname.split('/').filter(Boolean);
    const page = (items: unknown[]): FakeAnswer => ({ status: 200, body: { items, next: null } });
    if (url.pathname === '/users/me') return { status: 200, body: this.accounts.get(userId)?.user };
    if (url.pathname === '/users') {
      const q = (url.searchParams.get('q') ?? '').toLowerCase();
      return page(
        [...this.accounts.values()]
          .filter((one) => one.user.username.startsWith(q) || one.user.display_name.toLowerCase().includes(q))
          .map((one) => this.#public(one.user.id)),
      );
    }
    if (parts[0] === 'users' && parts[2] === 'presence') {
      const chosen = this.presence.get(parts[1] as string) ?? 'online';
      const state = chosen === 'invisible' ? 'offline' : chosen;
      return { status: 200, body: { user_id: parts[1], state, last_seen: null, status_text: '' } };
    }
    if (parts[0] === 'contacts') return this.#contactsHttp(method, parts[1], body, userId);
    if (url.pathname === '/auth/logout') return { status: 204 };
    if (url.pathname === '/conversations' && method === 'GET') {
      const own = [...this.rooms.values()].filter((room) => room.members.has(userId));
      return page(own.map((room) => this.conversation(room.id, userId)));
    }
    if (url.pathname === '/conversations' && method === 'POST') {
      const members = body.kind === 'direct' ? [String(body.user_id)] : (body.member_ids as string[]);
      const id = this.addRoom(body.kind as Room['kind'], [userId, ...members], (body.name as string) ?? null);
      return { status: 201, body: this.conversation(id, userId) };
    }
    if (parts[0] === 'messages' && parts[2] === 'pin') {
      return {
        status: 200,
        body: this.change(parts[1] as string, { pinned: method === 'PUT' }, 'message.pinned'),
      };
    }
    if (parts[0] === 'conversations' && parts[1] !== undefined) {
      const roomId = parts[1];
      if (!this.rooms.get(roomId)?.members.has(userId)) return null;
      if (parts[2] === 'messages') {
        const number = (name: string) => {
          const value = url.searchParams.get(name);
          return value === null ? undefined : Number(value);
        };
        return page(
          this.history(roomId, {
            before: number('before'),
            after: number('after'),
            around: number('around'),
            limit: number('limit'),
          }),
        );
      }
      if (parts[2] === 'members') return page(this.#members(roomId));
      if (parts[2] === 'me') return this.places.http(this, roomId, userId, body);
      return { status: 200, body: this.conversation(roomId, userId) };
    }
    return null;
  }

  #contactsHttp(
    method: string,
    other: string | undefined,
    body: Record<string, unknown>,
    userId: string,
  ): FakeAnswer {
    const own = this.contacts.get(userId) ?? new Map<string, string | null>();
    this.contacts.set(userId, own);
    const contact = (id: string) => ({
      user: this.#public(id),
      nickname: own.get(id) ?? null,
      created_at: this.now(),
    });
    if (method === 'GET') {
      const ids = other === undefined ? [...own.keys()] : [];
      return { status: 200, body: { items: ids.map(contact), next: null } };
    }
    if (method === 'DELETE') own.delete(other as string);
    else own.set(other as string, (body.nickname as string | null | undefined) ?? null);
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: contact(other as string) };
  }

  #members(roomId: string): Member[] {
    return [...this.#room(roomId).members].map(([id, one]) => ({
      user: this.#public(id),
      role: one.role,
      joined_at: one.joinedAt,
      delivered_seq: one.delivered,
      read_seq: one.read,
    }));
  }

  #public(userId: string): User {
    const { user } = this.accounts.get(userId) as Account;
    const { id, username, display_name, avatar_url, bio, created_at } = user;
    return { id, username, display_name, avatar_url, bio, created_at };
  }

  #room(id: string): Room {
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

function problem(status: number, code: string): FakeAnswer {
  return { status, body: { type: 'about:blank', title: code, status, code, detail: `refused: ${code}` } };
}
