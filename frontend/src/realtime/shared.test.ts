import { describe, expect, it } from 'vitest';
import { FakeClock, settle } from '../../test/fake/clock';
import { FakeServer } from '../../test/fake/server';
import { FakeNetwork } from '../../test/fake/transport';
import { RealtimeClient } from './client';
import { type Channel, SharedLink } from './shared';

/** One channel and one lock for all tabs of a test. */
class Browser {
  readonly clock = new FakeClock();
  readonly network: FakeNetwork;
  readonly #channels = new Set<Channel>();
  readonly #queue: (() => void)[] = [];
  #held = false;
  connections = 0;
  posted = 0;

  constructor(
    readonly token: string,
    server: FakeServer,
  ) {
    this.network = new FakeNetwork(server);
  }

  tab(tabId: string): SharedLink {
    const channel: Channel = {
      onmessage: null,
      postMessage: (packet) => {
        this.posted += 1;
        const copy = structuredClone(packet);
        for (const other of this.#channels) {
          if (other !== channel) queueMicrotask(() => other.onmessage?.({ data: copy } as MessageEvent));
        }
      },
      close: () => this.#channels.delete(channel),
    };
    this.#channels.add(channel);
    return new SharedLink({
      connect: () => {
        this.connections += 1;
        return new RealtimeClient({
          transport: this.network.transport,
          tokens: { access: async () => this.token, refresh: async () => this.token },
          resume: async () => ({ known: {}, epoch: null }),
          clock: this.clock,
          random: () => 0.5,
          deviceId: tabId,
        });
      },
      channel,
      elect: (lead) => {
        const hold = () => {
          this.#held = true;
          void lead().then(() => {
            this.#held = false;
            this.#queue.shift()?.();
          });
        };
        if (this.#held) this.#queue.push(hold);
        else hold();
      },
      clock: this.clock,
      tabId,
    });
  }
}

async function twoTabs() {
  const server = new FakeServer();
  const anna = server.addPerson('anna');
  const ben = server.addPerson('ben');
  const room = server.addRoom('direct', [anna.id, ben.id]);
  const browser = new Browser(server.signIn(anna.id).access_token, server);
  const first = browser.tab('first');
  const second = browser.tab('second');
  first.start();
  await browser.clock.advance(10);
  second.start();
  await browser.clock.advance(10);
  return { server, room, ben, browser, first, second };
}

describe('several tabs', () => {
  it('share one connection', async () => {
    const { browser, first, second, server } = await twoTabs();
    expect(browser.connections).toBe(1);
    expect(server.sockets.size).toBe(1);
    expect([first.leads, second.leads]).toEqual([true, false]);
    expect(second.state).toEqual(first.state);
  });

  it('all receive every frame', async () => {
    const { first, second, server, room, ben } = await twoTabs();
    const heard: string[] = [];
    first.frames.on((frame) => heard.push(`first ${frame.type}`));
    second.frames.on((frame) => heard.push(`second ${frame.type}`));
    server.say(room, ben.id, 'hello');
    await settle();
    expect(heard.sort()).toEqual(['first message.new', 'second message.new']);
  });

  it('receive answers and refusals through the leader', async () => {
    const { second, server, room } = await twoTabs();
    const send = { type: 'message.send', client_message_id: 'x', conversation_id: room, text: 'hi' } as const;
    await expect(second.request(send)).resolves.toMatchObject({ type: 'message.ack', seq: 1 });
    server.refuse = { code: 'forbidden', times: 1 };
    await expect(second.request({ ...send, client_message_id: 'y' })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('elect a new leader when the leader closes', async () => {
    const { browser, first, second, server } = await twoTabs();
    first.stop();
    await browser.clock.advance(10);
    expect(second.leads).toBe(true);
    expect(second.state.name).toBe('connected');
    expect(server.sockets.size).toBe(1);
  });

  it('do not wait for an answer that can no longer arrive', async () => {
    const { browser, first, second } = await twoTabs();
    browser.network.up = false;
    const answer = second.request({ type: 'ping' });
    first.stop();
    await expect(answer).rejects.toMatchObject({ code: 'connection_lost' });
  });

  it('notify each other of changes that the server does not repeat', async () => {
    const { first, second } = await twoTabs();
    const notes: unknown[] = [];
    second.notes.on((note) => notes.push(note));
    first.share({ kind: 'read', conversationId: 'c', seq: 3 });
    await settle();
    expect(notes).toEqual([{ kind: 'read', conversationId: 'c', seq: 3 }]);
  });

  it('add no cost when there is only one tab', async () => {
    const { browser, first, second, server, room, ben } = await twoTabs();
    second.stop();
    first.stop();
    const only = browser.tab('only');
    only.start();
    await browser.clock.advance(10);
    const before = browser.posted;
    server.say(room, ben.id, 'hello');
    await settle();
    expect(only.leads).toBe(true);
    expect(browser.posted).toBe(before);
  });

  it('follow the new leader, whichever tab opened last', async () => {
    const { browser, first, second, server, room, ben } = await twoTabs();
    const third = browser.tab('third');
    third.start();
    await browser.clock.advance(10);
    first.stop();
    second.stop();
    const fourth = browser.tab('fourth');
    fourth.start();
    await browser.clock.advance(10);
    expect(third.leads).toBe(true);
    const heard: string[] = [];
    fourth.frames.on((frame) => heard.push(frame.type));
    server.say(room, ben.id, 'hello');
    await settle();
    expect(heard).toEqual(['message.new']);
  });
});
