/** The fake server's answers to the frames of a client, as defined in `docs/protocol.md`. */
import type { ClientFrame, Conversation, ConversationState } from '@/protocol';
import type { FakeServer, Room } from './server';
import type { FakeSocket } from './socket';

export function answerFrame(server: FakeServer, socket: FakeSocket, frame: ClientFrame): void {
  if (frame.type === 'connect') {
    connect(server, socket, frame);
    return;
  }
  const userId = socket.userId;
  if (userId === null) return;
  const ref = frame.ref ?? undefined;
  switch (frame.type) {
    case 'message.send':
      send(server, socket, userId, frame);
      return;
    case 'message.edit':
      server.change(frame.message_id, { text: frame.text, edited_at: server.now() }, 'message.edited');
      socket.deliver({ type: 'pong', ref, server_time: server.now() });
      return;
    case 'message.delete':
      server.change(frame.message_id, { text: '', deleted_at: server.now() }, 'message.deleted');
      socket.deliver({ type: 'pong', ref, server_time: server.now() });
      return;
    case 'reaction.add':
      server.change(
        frame.message_id,
        { reactions: [{ emoji: frame.emoji, count: 1, user_ids: [userId] }] },
        'message.reaction',
      );
      socket.deliver({ type: 'pong', ref, server_time: server.now() });
      return;
    case 'reaction.remove':
      server.change(frame.message_id, { reactions: [] }, 'message.reaction');
      socket.deliver({ type: 'pong', ref, server_time: server.now() });
      return;
    case 'delivered':
    case 'read':
      server.mark(frame.conversation_id, userId, frame.seq, frame.type === 'read');
      return;
    case 'typing':
      for (const id of server.room(frame.conversation_id).members.keys()) {
        if (id === userId) continue;
        server.toUser(id, {
          type: 'typing',
          conversation_id: frame.conversation_id,
          user_id: userId,
          state: frame.state,
        });
      }
      return;
    case 'presence.set':
      server.presence.set(userId, frame.state);
      server.toUser(userId, {
        type: 'presence',
        user_id: userId,
        state: frame.state === 'invisible' ? 'offline' : frame.state,
        last_seen: null,
        status_text: '',
      });
      return;
    case 'ping':
      socket.deliver({ type: 'pong', ref, server_time: server.now() });
      return;
    case 'token':
      socket.deliver({ type: 'token.accepted', ref, expires_in: 900 });
      return;
    default:
      return;
  }
}

/** Stores a repeated send once. */
function send(
  server: FakeServer,
  socket: FakeSocket,
  userId: string,
  frame: Extract<ClientFrame, { type: 'message.send' }>,
): void {
  const ref = frame.ref ?? undefined;
  if (server.refuse !== null && server.refuse.times > 0) {
    server.refuse.times -= 1;
    const { code, retryAfterMs: retry_after_ms } = server.refuse;
    socket.deliver({ type: 'error', ref, code, detail: 'refused by the test', retry_after_ms });
    return;
  }
  const roomId = frame.conversation_id as string;
  const known = server
    .room(roomId)
    .messages.find((one) => one.sender_id === userId && one.client_message_id === frame.client_message_id);
  const message =
    known ??
    server.store(
      roomId,
      userId,
      frame.client_message_id,
      frame.text ?? '',
      { reply_to: frame.reply_to ?? null },
      socket,
    );
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
}

function connect(
  server: FakeServer,
  socket: FakeSocket,
  frame: Extract<ClientFrame, { type: 'connect' }>,
): void {
  const userId = server.userOf(frame.token ?? '');
  if (userId === undefined) {
    server.sockets.delete(socket);
    socket.closed(4401);
    return;
  }
  const known = frame.known ?? null;
  const rooms = [...server.rooms.values()].filter((room) => room.members.has(userId));
  const recovered = known !== null && (frame.epoch ?? server.epoch) === server.epoch;
  socket.userId = userId;
  const lines = rooms.map((room) => stateOf(server.conversation(room.id, userId)));
  const more = lines.length > server.listPage;
  socket.deliver({
    type: 'ready',
    connection_id: server.id(),
    user_id: userId,
    epoch: server.epoch,
    server_time: server.now(),
    heartbeat_s: server.heartbeatS,
    recovered,
    queued: 0,
    unread_notifications: 0,
    token_expires_in: 900,
    conversations: lines.slice(0, server.listPage),
    more,
    limits: { frame_bytes: 131_072, text_chars: 10_000, sends_per_s: null },
  });
  for (let from = server.listPage; from < lines.length; from += server.listPage) {
    const until = from + server.listPage;
    socket.deliver({
      type: 'ready.conversations',
      conversations: lines.slice(from, until),
      more: until < lines.length,
    });
  }
  const mayIntroduce = Object.keys(known ?? {}).length < server.mostKnown;
  let introduced = 0;
  for (const room of rooms) {
    const from = recovered ? known?.[room.id] : undefined;
    const isNew = from === undefined;
    if (isNew) introduced += 1;
    catchUp(server, socket, userId, room, from, !isNew || (mayIntroduce && introduced <= server.introduced));
  }
  socket.deliver({ type: 'drained', count: 0 });
  socket.deliver({ type: 'presence.snapshot', items: [] });
}

function stateOf(one: Conversation): ConversationState {
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
}

/** Returns what the client missed since revision `from` of a conversation, or all of it when it names none. */
function catchUp(
  server: FakeServer,
  socket: FakeSocket,
  userId: string,
  room: Room,
  from: number | undefined,
  introduced: boolean,
): void {
  if (from === undefined) {
    if (introduced) {
      socket.deliver({ type: 'conversation.joined', conversation: server.conversation(room.id, userId) });
    }
    const { delivered } = room.members.get(userId) as { delivered: number };
    for (const message of room.messages) {
      if (message.seq > delivered && message.sender_id !== userId) {
        socket.deliver({ type: 'message.new', message, queued: true });
      }
    }
    return;
  }
  const changed = room.messages.filter((one) => one.rev > from);
  if (changed.length > server.resumeLimit) {
    socket.deliver({
      type: 'conversation.reset',
      conversation_id: room.id,
      rev: room.rev,
      last_seq: room.messages.length,
    });
    return;
  }
  // A message is older when its first revision was known: the fake stores none, so the sequence decides.
  const olderUpTo = server.seqAt(room, from);
  const older = changed.filter((one) => one.seq <= olderUpTo).sort((a, b) => a.rev - b.rev);
  for (const message of older) socket.deliver({ type: 'message.changed', message });
  for (const message of changed.filter((one) => one.seq > olderUpTo)) {
    socket.deliver({ type: 'message.new', message, queued: false });
  }
}
