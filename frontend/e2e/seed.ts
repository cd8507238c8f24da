/** Fills the server through its HTTP API and its WebSocket, because doing it through the page would take days. */
import { expect } from '@playwright/test';
import { PASSWORD, uniqueName } from './people';

export interface Account {
  id: string;
  name: string;
  token: string;
}

export class Seeder {
  readonly #base: string;
  readonly #socket: string;
  #next = 1;

  constructor(baseUrl: string) {
    this.#base = new URL('api/v1', baseUrl).href;
    this.#socket = new URL('ws', baseUrl).href.replace(/^http/, 'ws');
  }

  async account(base: string, displayName?: string): Promise<Account> {
    const name = uniqueName(base);
    const body = {
      username: name,
      display_name: displayName,
      email: `${name}@example.org`,
      password: PASSWORD,
    };
    const answer = await this.call<{ access_token: string; user: { id: string } }>(
      '/auth/register',
      'POST',
      body,
    );
    return { id: answer.user.id, name, token: answer.access_token };
  }

  async direct(from: Account, to: Account): Promise<string> {
    const body = { kind: 'direct', user_id: to.id };
    return (await this.call<{ id: string }>('/conversations', 'POST', body, from.token)).id;
  }

  async group(from: Account, name: string, others: Account[]): Promise<string> {
    const body = { kind: 'group', name, member_ids: others.map((one) => one.id) };
    return (await this.call<{ id: string }>('/conversations', 'POST', body, from.token)).id;
  }

  async react(messageId: string, who: Account, emoji: string): Promise<void> {
    await this.call(
      `/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`,
      'PUT',
      undefined,
      who.token,
    );
  }

  say(
    conversationId: string,
    from: Account,
    text: string,
    replyTo?: string,
  ): Promise<{ id: string; seq: number }> {
    const body = { client_message_id: `seed-${this.#next++}`, text, reply_to: replyTo };
    return this.call(`/conversations/${conversationId}/messages`, 'POST', body, from.token);
  }

  /** Sends many messages of different heights, a few dozen in flight at a time. */
  async fill(conversationId: string, from: Account, count: number): Promise<void> {
    let left = count;
    const lane = async () => {
      while (left > 0) {
        left -= 1;
        await this.say(conversationId, from, sample(left));
      }
    };
    await Promise.all(Array.from({ length: 32 }, lane));
  }

  /** Marks everything as read, as another device of the user would. Resolves when the server has stored it. */
  async readAll(conversationId: string, who: Account): Promise<void> {
    const state = () =>
      this.call<{ last_seq: number; me: { read_seq: number; unread: number } }>(
        `/conversations/${conversationId}`,
        'GET',
        undefined,
        who.token,
      );
    const { last_seq: seq } = await state();
    const socket = new WebSocket(this.#socket, 'chat.v1.json');
    const refused = new Promise<never>((_, reject) => {
      socket.onclose = ({ code, reason }) => reject(new Error(`The connection ended: ${code} ${reason}`));
      socket.onmessage = ({ data }) => {
        const { type } = JSON.parse(data) as { type: string };
        if (type === 'error') reject(new Error(`The server refused: ${data}`));
        if (type !== 'ready') return;
        socket.send(JSON.stringify({ type: 'read', conversation_id: conversationId, seq }));
      };
      socket.onopen = () => socket.send(JSON.stringify({ type: 'connect', token: who.token }));
    });
    // A `read` has no answer of its own.
    const read = expect.poll(async () => (await state()).me).toMatchObject({ read_seq: seq, unread: 0 });
    try {
      await Promise.race([read, refused]);
    } finally {
      socket.onclose = null;
      socket.close();
    }
  }

  async call<T>(path: string, method: string, body?: unknown, token?: string): Promise<T> {
    const response = await fetch(this.#base + path, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }
}

const WORDS =
  'the garden needs water and somebody has to bring the tools before the rain comes on friday'.split(' ');

function sample(index: number): string {
  const length = 3 + ((index * 7919) % (index % 11 === 0 ? 160 : 24));
  const words = Array.from({ length }, (_, at) => WORDS[(index * 31 + at * 7) % WORDS.length]);
  if (index % 17 === 0) return `**${words[0]}** ${words.join(' ')}\n\n- ${words[1]}\n- ${words[2]}`;
  return `${index} ${words.join(' ')}`;
}
