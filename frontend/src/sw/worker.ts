/// <reference lib="webworker" />
/** Caches the application on the device, so that it opens without a network. Messages are stored elsewhere. */

import { SHARED_AT, SHARED_CACHE, sharedText } from '../lib/shared-text';

declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: string[];
declare const __VERSION__: string;

const CACHE = `chat-mvp-${__VERSION__}`;

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches.open(CACHE).then(async (cache) => {
      await cache.addAll(__FILES__);
      await self.skipWaiting();
    }),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      const old = names.filter((name) => name.startsWith('chat-mvp-') && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    }),
  );
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  const scope = new URL(self.registration.scope);
  if (url.origin !== scope.origin) return;
  const path = url.pathname.slice(scope.pathname.length);
  if (path === 'share' && event.request.method === 'POST') event.respondWith(share(event.request));
  if (event.request.method !== 'GET') return;
  if (/^(api|ws|schema|health|metrics)(\/|$)/.test(path)) return;
  if (event.request.mode === 'navigate') event.respondWith(page(event.request));
  else event.respondWith(asset(event.request, path.startsWith('assets/')));
});

/** Stores what another application shares, and opens the page that asks for a recipient. It never leaves the device. */
async function share(request: Request): Promise<Response> {
  const text = await request.formData().then(sharedText, () => '');
  if (text !== '') {
    const cache = await caches.open(SHARED_CACHE);
    await cache.put(new URL(SHARED_AT, self.registration.scope).href, Response.json({ text }));
  }
  return Response.redirect(new URL('./#/share', self.registration.scope).href, 303);
}

/** Returns the newest page when the server answers quickly, else the cached one: it never waits for a slow network. */
async function page(request: Request): Promise<Response> {
  const kept = await caches.match(new URL('./', self.registration.scope).href, { ignoreVary: true });
  if (kept === undefined) return fetch(request);
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(kept.clone()), 400));
  const fresh = fetch(request).then((answer) => (answer.ok ? answer : kept.clone()));
  return Promise.race([fresh.catch(() => kept.clone()), late]);
}

/** `Vary` is ignored: scripts are requested with an Origin header and were cached without one. */
async function asset(request: Request, immutable: boolean): Promise<Response> {
  const kept = await caches.match(request.url, { ignoreVary: true });
  if (kept !== undefined) return kept;
  const answer = await fetch(request);
  if (immutable && answer.ok) {
    const cache = await caches.open(CACHE);
    await cache.put(request.url, answer.clone());
  }
  return answer;
}

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { conversationId } = event.notification.data as { conversationId?: string };
  event.waitUntil(
    self.clients.matchAll({ type: 'window' }).then(async (windows) => {
      const open = windows[0];
      const target = new URL(`./#/c/${conversationId ?? ''}`, self.registration.scope).href;
      if (open === undefined) await self.clients.openWindow(target);
      else {
        await open.focus();
        open.postMessage({ kind: 'open', conversationId });
      }
    }),
  );
});
