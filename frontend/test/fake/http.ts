/** The fake server's HTTP responses, below /api/v1. */
import type { FakeServer, Room } from './server';

export interface FakeAnswer {
  status: number;
  body?: unknown;
}

/** Handles requests below /api/v1. */
export function answerHttp(
  server: FakeServer,
  method: string,
  path: string,
  body: Record<string, unknown> | undefined,
  token: string | null,
): FakeAnswer {
  const url = new URL(path, 'http://fake');
  const open = openHttp(server, method, url.pathname, body);
  if (open !== null) return open;
  const userId = server.userOf(token ?? '');
  if (userId === undefined) return problem(401, 'unauthenticated');
  return ownHttp(server, method, url, body ?? {}, userId) ?? problem(404, 'not_found');
}

/** Calls without an account. */
function openHttp(
  server: FakeServer,
  method: string,
  path: string,
  body: Record<string, unknown> | undefined,
): FakeAnswer | null {
  if (method !== 'POST') return null;
  const people = [...server.accounts.values()];
  if (path === '/auth/register') {
    if (people.some((one) => one.user.username === body?.username)) return problem(409, 'username_taken');
    const user = server.addPerson(String(body?.username));
    return { status: 201, body: server.signIn(user.id) };
  }
  if (path === '/auth/login') {
    const found = people.find((one) => one.user.username === body?.login && one.password === body?.password);
    return found === undefined
      ? problem(401, 'unauthenticated')
      : { status: 200, body: server.signIn(found.user.id) };
  }
  if (path === '/auth/refresh') {
    const id = String(body?.refresh_token ?? '').replace('refresh-', '');
    return server.accounts.has(id)
      ? { status: 200, body: server.signIn(id) }
      : problem(401, 'unauthenticated');
  }
  return null;
}

/** Calls of a signed-in user. */
function ownHttp(
  server: FakeServer,
  method: string,
  url: URL,
  body: Record<string, unknown>,
  userId: string,
): FakeAnswer | null {
  const parts = url.pathname.split('/').filter(Boolean);
  const page = (items: unknown[]): FakeAnswer => ({ status: 200, body: { items, next: null } });
  if (url.pathname === '/users/me') return { status: 200, body: server.accounts.get(userId)?.user };
  if (url.pathname === '/users') {
    const q = (url.searchParams.get('q') ?? '').toLowerCase();
    return page(
      [...server.accounts.values()]
        .filter((one) => one.user.username.startsWith(q) || one.user.display_name.toLowerCase().includes(q))
        .map((one) => server.publicOf(one.user.id)),
    );
  }
  if (parts[0] === 'users' && parts[2] === 'presence') {
    const chosen = server.presence.get(parts[1] as string) ?? 'online';
    const state = chosen === 'invisible' ? 'offline' : chosen;
    return { status: 200, body: { user_id: parts[1], state, last_seen: null, status_text: '' } };
  }
  if (parts[0] === 'contacts') return contactsHttp(server, method, parts[1], body, userId);
  if (url.pathname === '/auth/logout') return { status: 204 };
  if (url.pathname === '/conversations' && method === 'GET') {
    const own = [...server.rooms.values()].filter((room) => room.members.has(userId));
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const until = from + Number(url.searchParams.get('limit') ?? 50);
    const items = own.slice(from, until).map((room) => server.conversation(room.id, userId));
    return { status: 200, body: { items, next: until < own.length ? String(until) : null } };
  }
  if (url.pathname === '/conversations' && method === 'POST') {
    const members = body.kind === 'direct' ? [String(body.user_id)] : (body.member_ids as string[]);
    const id = server.addRoom(body.kind as Room['kind'], [userId, ...members], (body.name as string) ?? null);
    return { status: 201, body: server.conversation(id, userId) };
  }
  if (parts[0] === 'messages' && parts[2] === 'pin') {
    return {
      status: 200,
      body: server.change(parts[1] as string, { pinned: method === 'PUT' }, 'message.pinned'),
    };
  }
  if (parts[0] === 'conversations' && parts[1] !== undefined) {
    const roomId = parts[1];
    if (!server.rooms.get(roomId)?.members.has(userId)) return null;
    if (parts[2] === 'messages') {
      const number = (name: string) => {
        const value = url.searchParams.get(name);
        return value === null ? undefined : Number(value);
      };
      return page(
        server.history(roomId, {
          before: number('before'),
          after: number('after'),
          around: number('around'),
          limit: number('limit'),
        }),
      );
    }
    if (parts[2] === 'members') return page(server.membersOf(roomId));
    if (parts[2] === 'me') return server.places.http(server, roomId, userId, body);
    return { status: 200, body: server.conversation(roomId, userId) };
  }
  return null;
}

function contactsHttp(
  server: FakeServer,
  method: string,
  other: string | undefined,
  body: Record<string, unknown>,
  userId: string,
): FakeAnswer {
  const own = server.contacts.get(userId) ?? new Map<string, string | null>();
  server.contacts.set(userId, own);
  const contact = (id: string) => ({
    user: server.publicOf(id),
    nickname: own.get(id) ?? null,
    created_at: server.now(),
  });
  if (method === 'GET') {
    const ids = other === undefined ? [...own.keys()] : [];
    return { status: 200, body: { items: ids.map(contact), next: null } };
  }
  if (method === 'DELETE') own.delete(other as string);
  else own.set(other as string, (body.nickname as string | null | undefined) ?? null);
  return method === 'DELETE' ? { status: 204 } : { status: 200, body: contact(other as string) };
}

function problem(status: number, code: string): FakeAnswer {
  return { status, body: { type: 'about:blank', title: code, status, code, detail: `refused: ${code}` } };
}
