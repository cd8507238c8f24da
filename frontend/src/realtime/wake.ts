/** Notifies a connection of changes in its environment: network, sleep, visibility. */
export interface Wakeable {
  networkChanged(online: boolean): void;
  woke(): void;
}

const TICK_MS = 5_000;
/** Timers of hidden pages run once a minute; a longer gap means that the machine slept. */
const SLEPT_MS = 90_000;
const SLEPT_VISIBLE_MS = 15_000;

/** Listens until the returned function is called. */
export function watchSurroundings(target: Wakeable, page: Window = window): () => void {
  const online = () => target.networkChanged(true);
  const offline = () => target.networkChanged(false);
  const shown = () => {
    if (page.document.visibilityState === 'visible') target.woke();
  };
  const restored = (event: PageTransitionEvent) => {
    if (event.persisted) target.woke();
  };
  let last = Date.now();
  const ticker = page.setInterval(() => {
    const gap = Date.now() - last;
    last = Date.now();
    const visible = page.document.visibilityState === 'visible';
    if (gap > (visible ? SLEPT_VISIBLE_MS : SLEPT_MS)) target.woke();
  }, TICK_MS);
  page.addEventListener('online', online);
  page.addEventListener('offline', offline);
  page.addEventListener('pageshow', restored);
  page.document.addEventListener('visibilitychange', shown);
  return () => {
    page.clearInterval(ticker);
    page.removeEventListener('online', online);
    page.removeEventListener('offline', offline);
    page.removeEventListener('pageshow', restored);
    page.document.removeEventListener('visibilitychange', shown);
  };
}
