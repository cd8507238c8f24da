/** Implements `Platform` with the real browser. */
import { systemClock } from '@/lib/clock';
import { uuidv7 } from '@/lib/ids';
import { keptText } from '@/lib/kept-text';
import { openDb } from '@/offline/open';
import { RealtimeClient } from '@/realtime/client';
import { SharedLink } from '@/realtime/shared';
import { WebSocketTransport } from '@/realtime/transport';
import type { Platform } from '@/session/accounts';

const ACCOUNT_KEY = 'chat-mvp.account';

export function browserPlatform(): Platform {
  const home = new URL('.', document.baseURI);
  const socket = new URL('ws', home);
  socket.protocol = home.protocol === 'https:' ? 'wss:' : 'ws:';
  return {
    apiBase: new URL('api/v1', home).href,
    clock: systemClock,
    random: Math.random,
    openDb,
    link: ({ accountId, tokens, resume, deviceId, persistent }) => {
      const connect = () =>
        new RealtimeClient({
          transport: () => new WebSocketTransport(socket.href),
          tokens,
          resume,
          clock: systemClock,
          random: Math.random,
          deviceId,
        });
      // Web Locks need a secure address; without them every tab has its own connection.
      if (!persistent || navigator.locks === undefined) return connect();
      const name = `chat-mvp:connection:${accountId}`;
      return new SharedLink({
        connect,
        channel: new BroadcastChannel(name),
        elect: (lead, signal) => {
          navigator.locks.request(name, { signal }, lead).catch(() => undefined);
        },
        clock: systemClock,
        tabId: uuidv7(),
      });
    },
    remembered: keptText(() => localStorage, ACCOUNT_KEY),
    // Over plain HTTP a `Secure` cookie is kept for loopback names at best, and not by every browser.
    cookieWorks: home.protocol === 'https:',
    exclusively: (name, run) => (navigator.locks ? navigator.locks.request(name, run) : run()),
    deviceName: deviceName(navigator.userAgent),
  };
}

/** "Firefox on Linux": enough for users to distinguish their devices. */
function deviceName(agent: string): string {
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrome\//.test(agent)
        ? 'Chrome'
        : /Safari\//.test(agent)
          ? 'Safari'
          : 'Browser';
  const system = /iPhone|iPad/.test(agent)
    ? 'iOS'
    : /Android/.test(agent)
      ? 'Android'
      : /Mac OS/.test(agent)
        ? 'macOS'
        : /Windows/.test(agent)
          ? 'Windows'
          : /Linux/.test(agent)
            ? 'Linux'
            : '';
  return system === '' ? browser : `${browser} on ${system}`;
}
