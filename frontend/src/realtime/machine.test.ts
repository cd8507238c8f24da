import { describe, expect, it } from 'vitest';
import { CloseCode } from '@/protocol';
import { type ConnectionEvent, type ConnectionState, INITIAL, transition } from './machine';

const half = () => 0.5;

function run(events: ConnectionEvent[], from: ConnectionState = INITIAL) {
  let state = from;
  const effects: string[] = [];
  for (const event of events) {
    const [next, wanted] = transition(state, event, half);
    state = next;
    effects.push(...wanted.map((one) => one.name));
  }
  return { state, effects };
}

const connected: ConnectionState = { name: 'connected', attempt: 0, catchingUp: false };

describe('the connection', () => {
  it('goes from disconnected to live', () => {
    expect(run([{ name: 'start' }, { name: 'ready' }]).state).toEqual({
      name: 'connected',
      attempt: 0,
      catchingUp: true,
    });
    expect(run([{ name: 'start' }, { name: 'ready' }, { name: 'drained' }]).state).toEqual(connected);
  });

  it('waits longer after each failure, up to a bound', () => {
    const delays: number[] = [];
    let state: ConnectionState = { name: 'connecting', attempt: 0, freshToken: false };
    for (let turn = 0; turn < 12; turn += 1) {
      [state] = transition(state, { name: 'lost', code: 1006 }, half);
      if (state.name !== 'waiting') throw new Error('expected to wait');
      delays.push(state.delayMs);
      [state] = transition(state, { name: 'elapsed' }, half);
    }
    expect(delays.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
    expect(Math.max(...delays)).toBe(15_000);
  });

  it('spreads delays over the whole interval', () => {
    const wait = (random: number) => {
      const [state] = transition(connected, { name: 'lost', code: 1006 }, () => random);
      return state.name === 'waiting' ? state.delayMs : -1;
    };
    expect(wait(0)).toBe(0);
    expect(wait(0.999)).toBe(999);
  });

  it('does not count an attempt as a success before everything missed has arrived', () => {
    const caught = run([{ name: 'ready' }, { name: 'lost', code: 1011 }], {
      name: 'connecting',
      attempt: 3,
      freshToken: false,
    });
    expect(caught.state).toMatchObject({ name: 'waiting', attempt: 4 });
  });

  it.each([
    [CloseCode.goingAway, 'waiting'],
    [CloseCode.restart, 'waiting'],
    [CloseCode.internal, 'waiting'],
    [CloseCode.tooMany, 'waiting'],
    [CloseCode.tooLarge, 'closed'],
    [CloseCode.protocolViolation, 'closed'],
    [CloseCode.unauthenticated, 'connecting'],
    [CloseCode.tooSlow, 'connecting'],
    [1006, 'waiting'],
  ])('handles close code %i: %s', (code, name) => {
    expect(run([{ name: 'lost', code }], connected).state.name).toBe(name);
  });

  it('reconnects when the server asks, never earlier', () => {
    const [state] = transition(
      connected,
      { name: 'lost', code: CloseCode.restart, reconnectAfterMs: 4000 },
      half,
    );
    expect(state).toMatchObject({ name: 'waiting', delayMs: 4500 });
  });

  it('asks for a fresh token once, and stops when that one is refused too', () => {
    const first = run([{ name: 'lost', code: CloseCode.unauthenticated }], connected);
    expect(first.state).toEqual({ name: 'connecting', attempt: 1, freshToken: true });
    const second = run([{ name: 'lost', code: CloseCode.unauthenticated }], first.state);
    expect(second.state).toEqual({ name: 'closed', reason: 'signed_out' });
  });

  it('reconnects immediately after being too slow, but not without limit', () => {
    const first = run([{ name: 'lost', code: CloseCode.tooSlow }], connected);
    expect(first.state.name).toBe('connecting');
    expect(run([{ name: 'lost', code: CloseCode.tooSlow }], first.state).state.name).toBe('waiting');
  });

  it('does not wait when the network or the user comes back', () => {
    const waiting: ConnectionState = { name: 'waiting', attempt: 5, delayMs: 15_000, freshToken: false };
    expect(run([{ name: 'network_up' }], waiting)).toEqual({
      state: { name: 'connecting', attempt: 0, freshToken: false },
      effects: ['cancel_wait', 'dial'],
    });
    expect(run([{ name: 'woke' }], waiting).state.name).toBe('connecting');
    expect(run([{ name: 'woke' }], connected)).toEqual({ state: connected, effects: ['probe'] });
  });

  it('disconnects when the network is lost, and retries in case the event was wrong', () => {
    const { state, effects } = run([{ name: 'network_down' }], connected);
    expect(state.name).toBe('waiting');
    expect(effects).toEqual(['hang_up', 'wait']);
  });

  it('stops in every state', () => {
    for (const state of [
      connected,
      { name: 'waiting', attempt: 1, delayMs: 1, freshToken: false },
    ] as const) {
      expect(run([{ name: 'stop' }], state).state).toEqual(INITIAL);
    }
  });
});
