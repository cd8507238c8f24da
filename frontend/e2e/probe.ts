/** Measures inside the page what a person sees: positions are read after paint, never before it. */
import type { Page } from '@playwright/test';

/** Puts `__probe` into the page. */
export async function installProbe(page: Page): Promise<void> {
  await page.evaluate(() => {
    const feed = () => document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    /**
     * Resolves at the last moment before a paint: in a ResizeObserver made later than the list's own, on an element
     * as deep as its rows. An animation frame comes before the list has corrected itself, and a message after the
     * paint may come after the next change too.
     */
    const painted = () =>
      new Promise<void>((resolve) => {
        const observer = new ResizeObserver(() => {
          observer.disconnect();
          resolve();
        });
        observer.observe(feed().querySelector('[data-index]') ?? feed());
      });
    const firstVisible = () => {
      const top = feed().getBoundingClientRect().top;
      const found = [...feed().querySelectorAll<HTMLElement>('article')].find(
        (one) => one.getBoundingClientRect().bottom > top + 1,
      );
      return found === undefined
        ? null
        : { position: found.getAttribute('aria-posinset'), top: found.getBoundingClientRect().top };
    };
    const topOf = (position: string) =>
      feed().querySelector(`article[aria-posinset="${position}"]`)?.getBoundingClientRect().top ?? null;

    const probe = {
      painted,
      oldest: () => Number(feed().querySelector('article')?.getAttribute('aria-posinset') ?? 0),
      /** How far the first visible message moves in `frames` frames after `act`. */
      async movement(act: () => void, frames: number): Promise<number> {
        act();
        await painted();
        const anchor = firstVisible();
        if (anchor === null || anchor.position === null) return -1;
        let worst = 0;
        for (let frame = 0; frame < frames; frame += 1) {
          await painted();
          const now = topOf(anchor.position);
          worst = Math.max(worst, now === null ? 10_000 : Math.abs(now - anchor.top));
        }
        return worst;
      },
      scrollTo(top: number) {
        feed().scrollTop = top;
      },
      distanceToEnd: () => feed().scrollHeight - feed().scrollTop - feed().clientHeight,
      rows: () => feed().querySelectorAll('article').length,
    };
    (window as unknown as { __probe: typeof probe }).__probe = probe;
  });
}

export interface Probe {
  painted(): Promise<void>;
  oldest(): number;
  movement(act: () => void, frames: number): Promise<number>;
  scrollTo(top: number): void;
  distanceToEnd(): number;
  rows(): number;
}
