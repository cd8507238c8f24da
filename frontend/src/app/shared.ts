/** What another application shared with this one: kept on the device by the service worker until somebody takes it. */

import { SHARED_AT, SHARED_CACHE } from '@/lib/shared-text';

/** The text that waits, or null; what is no text of ours counts as nothing. */
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
