/** Registers the service worker; where there can be none (plain HTTP from another machine) the page works without. */
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
