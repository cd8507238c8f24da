/** The real browser behind `Platform`. */
import { systemClock } from '@/lib/clock';
import { openDb } from '@/offline/open';
import { RealtimeClient } from '@/realtime/client';
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
    link: ({ tokens, resume, deviceId }) =>
      new RealtimeClient({
        transport: () => new WebSocketTransport(socket.href),
        tokens,
        resume,
        clock: systemClock,
        random: Math.random,
        deviceId,
      }),
    remembered: rememberedAccount(),
    // Over plain HTTP a `Secure` cookie is kept for loopback names at best, and not by every browser.
    cookieWorks: home.protocol === 'https:',
    exclusively: (name, run) => (navigator.locks ? navigator.locks.request(name, run) : run()),
    deviceName: deviceName(navigator.userAgent),
    writes: () => true,
  };
}

function rememberedAccount(): Platform['remembered'] {
  let inMemory: string | null = null;
  return {
    get() {
      try {
        return localStorage.getItem(ACCOUNT_KEY);
      } catch {
        return inMemory;
      }
    },
    set(id) {
      inMemory = id;
      try {
        if (id === null) localStorage.removeItem(ACCOUNT_KEY);
        else localStorage.setItem(ACCOUNT_KEY, id);
      } catch {
        // A browser that keeps nothing asks for the password after each reload.
      }
    },
  };
}

/** "Firefox on Linux": enough to know one's own devices apart. */
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
