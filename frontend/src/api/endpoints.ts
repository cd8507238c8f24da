/** The API calls that this client makes, one function each. */
import type {
  Contact,
  Conversation,
  Member,
  Message,
  MessageReceipt,
  OwnUser,
  Page,
  PresenceState,
  Registered,
  Role,
  SignedIn,
  User,
} from '@/protocol';
import type { Http } from './http';

/** Calls without an account. */
export class OpenApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  register(body: { username: string; email: string; password: string }): Promise<Registered> {
    return this.#http.call('/auth/register', { method: 'POST', body });
  }

  login(body: { login: string; password: string; device_name: string }): Promise<SignedIn> {
    return this.#http.call('/auth/login', { method: 'POST', body });
  }

  /** Without a token, the cookie authenticates. */
  refresh(refreshToken: string | null): Promise<SignedIn> {
    const body = refreshToken === null ? undefined : { refresh_token: refreshToken };
    return this.#http.call('/auth/refresh', { method: 'POST', body });
  }
}

export interface HistoryQuery {
  before?: number;
  after?: number;
  around?: number;
  limit?: number;
}

export interface NewConversation {
  kind: 'direct' | 'group' | 'channel';
  user_id?: string;
  name?: string;
  description?: string;
  member_ids?: string[];
}

export interface OwnSettings {
  muted_until?: string | null;
  pinned?: boolean;
  archived?: boolean;
  draft?: string;
  notify?: 'all' | 'mentions' | 'none';
  unread_from?: number | null;
}

/** Calls of a signed-in user. */
export class Api {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  logout(): Promise<void> {
    return this.#http.call('/auth/logout', { method: 'POST' });
  }

  me(): Promise<OwnUser> {
    return this.#http.call('/users/me');
  }

  updateMe(
    body: Partial<Pick<OwnUser, 'display_name' | 'bio' | 'status_text' | 'settings'>>,
  ): Promise<OwnUser> {
    return this.#http.call('/users/me', { method: 'PATCH', body });
  }

  findUsers(q: string, signal?: AbortSignal): Promise<Page<User>> {
    return this.#http.call('/users', { query: { q, limit: 20 }, signal });
  }

  user(id: string): Promise<User> {
    return this.#http.call(`/users/${id}`);
  }

  presence(id: string): Promise<PresenceState> {
    return this.#http.call(`/users/${id}/presence`);
  }

  contacts(): Promise<Contact[]> {
    return this.#all<Contact>('/contacts');
  }

  putContact(userId: string, nickname?: string | null): Promise<Contact> {
    return this.#http.call(`/contacts/${userId}`, { method: 'PUT', body: { nickname } });
  }

  deleteContact(userId: string): Promise<void> {
    return this.#http.call(`/contacts/${userId}`, { method: 'DELETE' });
  }

  blocked(): Promise<{ user: User }[]> {
    return this.#all<{ user: User }>('/contacts/blocked');
  }

  block(userId: string): Promise<void> {
    return this.#http.call(`/contacts/${userId}/block`, { method: 'PUT' });
  }

  unblock(userId: string): Promise<void> {
    return this.#http.call(`/contacts/${userId}/block`, { method: 'DELETE' });
  }

  /** Most recent activity first. */
  conversationPages(): AsyncGenerator<Conversation[]> {
    return this.#pages<Conversation>('/conversations');
  }

  conversation(id: string): Promise<Conversation> {
    return this.#http.call(`/conversations/${id}`);
  }

  createConversation(body: NewConversation): Promise<Conversation> {
    return this.#http.call('/conversations', { method: 'POST', body });
  }

  updateConversation(id: string, body: { name?: string; description?: string }): Promise<Conversation> {
    return this.#http.call(`/conversations/${id}`, { method: 'PATCH', body });
  }

  leave(id: string): Promise<void> {
    return this.#http.call(`/conversations/${id}/leave`, { method: 'POST' });
  }

  members(id: string): Promise<Member[]> {
    return this.#all<Member>(`/conversations/${id}/members`);
  }

  addMember(id: string, userId: string): Promise<Member> {
    return this.#http.call(`/conversations/${id}/members/${userId}`, { method: 'PUT', body: {} });
  }

  setRole(id: string, userId: string, role: Role): Promise<Member> {
    return this.#http.call(`/conversations/${id}/members/${userId}`, { method: 'PATCH', body: { role } });
  }

  removeMember(id: string, userId: string): Promise<void> {
    return this.#http.call(`/conversations/${id}/members/${userId}`, { method: 'DELETE' });
  }

  ownSettings(id: string, body: OwnSettings): Promise<unknown> {
    return this.#http.call(`/conversations/${id}/me`, { method: 'PATCH', body });
  }

  async history(id: string, query: HistoryQuery, signal?: AbortSignal): Promise<Message[]> {
    const page = await this.#http.call<Page<Message>>(`/conversations/${id}/messages`, {
      query: { ...query },
      signal,
    });
    return page.items;
  }

  async pins(id: string): Promise<Message[]> {
    return (await this.#http.call<Page<Message>>(`/conversations/${id}/pins`)).items;
  }

  message(id: string): Promise<Message> {
    return this.#http.call(`/messages/${id}`);
  }

  pin(id: string, on: boolean): Promise<Message> {
    return this.#http.call(`/messages/${id}/pin`, { method: on ? 'PUT' : 'DELETE' });
  }

  async receipts(id: string): Promise<MessageReceipt[]> {
    return (await this.#http.call<{ items: MessageReceipt[] }>(`/messages/${id}/receipts`)).items;
  }

  async #all<T>(path: string): Promise<T[]> {
    const items: T[] = [];
    for await (const page of this.#pages<T>(path)) items.push(...page);
    return items;
  }

  /** Sends one request for each page, when that page is needed. */
  async *#pages<T>(path: string): AsyncGenerator<T[]> {
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this.#http.call(path, { query: { limit: 200, cursor } });
      yield page.items;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }
}
