/**
 * The connection's state machine: pure, no timers, no sockets.
 *
 *   disconnected ──start──▶ connecting ──ready──▶ connected(catching up) ──drained──▶ connected
 *        ▲                   │      ▲                      │
 *        │                 lost    elapsed               lost
 *       stop                 ▼      │                      ▼
 *   (any state)            waiting ─┘  or  closed, when the close code says not to come back
 */
import { CloseCode } from '@/protocol';
import { afterServersWish, backoff } from './backoff';

export type ClosedReason = 'signed_out' | 'protocol';

export type ConnectionState =
  | { name: 'disconnected' }
  | { name: 'connecting'; attempt: number; freshToken: boolean }
  | { name: 'connected'; attempt: number; catchingUp: boolean }
  | { name: 'waiting'; attempt: number; delayMs: number; freshToken: boolean }
  | { name: 'closed'; reason: ClosedReason };

export type ConnectionEvent =
  | { name: 'start' }
  | { name: 'stop' }
  /** The server accepted the connection. */
  | { name: 'ready' }
  /** Everything missed has arrived. */
  | { name: 'drained' }
  /** The transport closed; `reconnectAfterMs` is what `bye` asked for. */
  | { name: 'lost'; code: number; reconnectAfterMs?: number }
  /** No valid credentials are available any more. */
  | { name: 'refused' }
  /** The wait is over. */
  | { name: 'elapsed' }
  | { name: 'network_up' }
  | { name: 'network_down' }
  /** The machine slept, or the tab came back: check whether the connection is still alive. */
  | { name: 'woke' };

export type Effect =
  /** Open a transport; with `freshToken`, get a new access token first. */
  | { name: 'dial'; freshToken: boolean }
  | { name: 'hang_up' }
  /** Send `elapsed` after `ms`; replaces an earlier wait. */
  | { name: 'wait'; ms: number }
  | { name: 'cancel_wait' }
  /** Send a ping and report `lost` when there is no answer soon. */
  | { name: 'probe' };

type Step = [ConnectionState, Effect[]];

export const INITIAL: ConnectionState = { name: 'disconnected' };

export function transition(state: ConnectionState, event: ConnectionEvent, random: () => number): Step {
  switch (event.name) {
    case 'start':
      return state.name === 'disconnected' || state.name === 'closed' ? dial(0, false) : [state, []];
    case 'stop':
      return [{ name: 'disconnected' }, [{ name: 'cancel_wait' }, { name: 'hang_up' }]];
    case 'refused':
      return close('signed_out');
    case 'ready':
      return state.name === 'connecting'
        ? [{ name: 'connected', attempt: state.attempt, catchingUp: true }, []]
        : [state, []];
    case 'drained':
      // Only now does the attempt count as a success: otherwise a server that drops everyone while they catch up would
      // be retried at the first step of the back-off.
      return state.name === 'connected'
        ? [{ name: 'connected', attempt: 0, catchingUp: false }, []]
        : [state, []];
    case 'lost':
      return state.name === 'connecting' || state.name === 'connected'
        ? lost(state, event.code, event.reconnectAfterMs, random)
        : [state, []];
    case 'elapsed':
      return state.name === 'waiting' ? dial(state.attempt, state.freshToken) : [state, []];
    case 'network_up':
      if (state.name === 'waiting') return withCancel(dial(0, state.freshToken));
      return [state, state.name === 'connected' ? [{ name: 'probe' }] : []];
    case 'network_down':
      return networkDown(state, random);
    case 'woke':
      if (state.name === 'waiting') return withCancel(dial(state.attempt, state.freshToken));
      return [state, state.name === 'connected' ? [{ name: 'probe' }] : []];
  }
}

function dial(attempt: number, freshToken: boolean): Step {
  return [{ name: 'connecting', attempt, freshToken }, [{ name: 'dial', freshToken }]];
}

function close(reason: ClosedReason): Step {
  return [{ name: 'closed', reason }, [{ name: 'cancel_wait' }, { name: 'hang_up' }]];
}

function wait(attempt: number, delayMs: number, freshToken = false): Step {
  return [{ name: 'waiting', attempt, delayMs, freshToken }, [{ name: 'wait', ms: delayMs }]];
}

function withCancel([state, effects]: Step): Step {
  return [state, [{ name: 'cancel_wait' }, ...effects]];
}

/** Close the connection and reconnect with back-off, in case the event was wrong. */
function networkDown(state: ConnectionState, random: () => number): Step {
  if (state.name !== 'connecting' && state.name !== 'connected') return [state, []];
  const [next, effects] = wait(state.attempt + 1, 1_000 + backoff(state.attempt + 1, random));
  return [next, [{ name: 'hang_up' }, ...effects]];
}

type Live = Extract<ConnectionState, { name: 'connecting' | 'connected' }>;

/** The close-code table of the protocol. */
function lost(state: Live, code: number, wishMs: number | undefined, random: () => number): Step {
  const attempt = state.attempt + 1;
  switch (code) {
    case CloseCode.tooLarge:
    case CloseCode.protocolViolation:
      return close('protocol');
    case CloseCode.unauthenticated:
      // Refused although the token was fresh: requesting another one would loop.
      return state.name === 'connecting' && state.freshToken ? close('signed_out') : dial(attempt, true);
    case CloseCode.tooSlow:
      return attempt === 1 ? dial(attempt, false) : wait(attempt, backoff(attempt, random));
    case CloseCode.goingAway:
    case CloseCode.restart:
    case CloseCode.tooMany:
      if (wishMs !== undefined && state.name === 'connected')
        return wait(attempt, afterServersWish(wishMs, random));
      return wait(attempt, Math.max(wishMs ?? 0, backoff(attempt, random)));
    default:
      return wait(attempt, backoff(attempt, random));
  }
}
