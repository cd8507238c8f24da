/** Text shared by another application: the service worker stores it on the device until the user places it. */

import { SHARED_AT, SHARED_CACHE } from '@/lib/shared-text';

/** Returns the waiting text, or null. Unknown data is ignored. */
export async function readShared(): Promise<string | null> {
  try {
    const kept = await caches.match(SHARED_AT, { cacheName: SHARED_CACHE });
    const { text } = ((await kept?.json()) ?? {}) as { text?: unknown };
    return typeof text === 'string' && text !== '' ? text : null;
  } catch {
    return null;
  }
}

export async function forgetShared(): Promise<void> {
  await globalThis.caches?.delete(SHARED_CACHE).catch(() => false);
}
