import { beforeEach, describe, expect, it } from 'vitest';
import type { ServerFrame } from '@/protocol';
import { FakeClock } from '../../test/fake/clock';
import { FakeServer } from '../../test/fake/server';
import { FakeNetwork } from '../../test/fake/transport';
import { RealtimeClient, SignedOutError } from './client';

let server: FakeServer;
let network: FakeNetwork;
let clock: FakeClock;
let fresh: number;
let client: RealtimeClient;

beforeEach(async () => {
  server = new FakeServer();
  network = new FakeNetwork(server);
  clock = new FakeClock();
  fresh = 0;
  const anna = server.addPerson('anna');
  client = new RealtimeClient({
    transport: network.transport,
    tokens: {
      access: async () => server.signIn(anna.id).access_token,
      refresh: async () => {
        fresh += 1;
        if (!server.accounts.has(anna.id)) throw new SignedOutError('gone');
        return server.signIn(anna.id).access_token;
      },
    },
    resume: async () => ({ known: {}, epoch: null }),
    clock,
    random: () => 0.5,
    deviceId: 'device',
  });
  client.start();
  await clock.advance(10);
});

function everybody(frame: ServerFrame): void {
  for (const socket of server.sockets) socket.deliver(frame);
}

describe('the client', () => {
  it('sends a fresh token over an open connection', async () => {
    everybody({ type: 'token.expiring', expires_in: 60 });
    await clock.advance(10);
    expect(fresh).toBe(1);
    expect(server.received.some((frame) => frame.type === 'token')).toBe(true);
    expect(client.state.name).toBe('connected');
  });

  it('closes permanently when no fresh token is available', async () => {
    server.accounts.clear();
    everybody({ type: 'token.expiring', expires_in: 60 });
    await clock.advance(10);
    expect(client.state).toEqual({ name: 'closed', reason: 'signed_out' });
  });

  it('reconnects when the server asked for it', async () => {
    everybody({ type: 'bye', code: 1012, reason: 'restart', reconnect_after_ms: 3_000 });
    server.dropAll(1012);
    await clock.advance(2_900);
    expect(client.state.name).toBe('waiting');
    await clock.advance(700);
    expect(client.state.name).toBe('connected');
  });

  it('reconnects after the delay of a server that refused its connect', async () => {
    server.dropAll(1011);
    await clock.advance(100);
    client.stop();
    const { receive } = server;
    server.receive = (socket, frame) => {
      server.received.push(frame);
      if (frame.type !== 'connect') return;
      socket.deliver({ type: 'error', code: 'rate_limited', detail: 'too many', retry_after_ms: 20_000 });
      server.sockets.delete(socket);
      socket.closed(4429);
    };
    client.start();
    await clock.advance(19_000);
    expect(client.state.name).toBe('waiting');
    expect(server.received.filter((frame) => frame.type === 'connect')).toHaveLength(2);
    server.receive = receive;
    await clock.advance(5_000);
    expect(client.state.name).toBe('connected');
  });

  it('passes on unknown frames of a newer server', async () => {
    const heard: string[] = [];
    client.frames.on((frame) => heard.push(frame.type));
    everybody({ type: 'poll.opened', poll: {} } as unknown as ServerFrame);
    await clock.advance(10);
    expect(heard).toEqual(['poll.opened']);
    expect(client.state.name).toBe('connected');
  });

  it('sends a ping when the connection is silent, and stays connected', async () => {
    await clock.advance(server.heartbeatS * 1000 + 100);
    expect(server.received.filter((frame) => frame.type === 'ping')).toHaveLength(1);
    await clock.advance(10_000);
    expect(client.state.name).toBe('connected');
  });

  it('answers every request, also when the connection is lost', async () => {
    await expect(client.request({ type: 'ping' })).resolves.toMatchObject({ type: 'pong' });
    const lost = client.request({ type: 'ping' });
    network.goDown();
    await expect(lost).rejects.toMatchObject({ code: 'connection_lost' });
    await expect(client.request({ type: 'ping' })).rejects.toMatchObject({ code: 'connection_lost' });
    expect(client.notify({ type: 'ping' })).toBe(false);
  });

  it('stops when `stop` is called', async () => {
    client.stop();
    await clock.advance(60_000);
    expect(client.state.name).toBe('disconnected');
    expect(server.sockets.size).toBe(0);
  });
});
