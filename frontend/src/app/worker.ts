/** Registers the service worker. Without one (plain HTTP from another machine) the page still works. */
export function registerWorker(onUpdate: () => void, onOpen: (conversationId: string) => void): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const { serviceWorker } = navigator;
  const hadOne = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (hadOne) onUpdate();
  });
  serviceWorker.addEventListener(
    'message',
    (event: MessageEvent<{ kind?: string; conversationId?: string }>) => {
      if (event.data.kind === 'open' && event.data.conversationId !== undefined)
        onOpen(event.data.conversationId);
    },
  );
  window.addEventListener('load', () => {
    void serviceWorker.register('./sw.js', { type: 'module' }).catch(() => undefined);
  });
}

const RELOADED = 'chat-mvp.reloaded';
/** Longer than a page takes to load, shorter than the time between two versions. */
const AGAIN_AFTER_MS = 60_000;

/**
 * A newer server no longer has the lazy chunks of the open page. One reload loads the new ones; repeated reloads would
 * not help.
 */
export function reloadOnceWhenPartsAreGone(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - last < AGAIN_AFTER_MS) return;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    event.preventDefault();
    location.reload();
  });
}
