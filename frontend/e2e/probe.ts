/** Measures inside the page what a person sees: positions are those of each paint, never those before the list has corrected itself. */
import type { Page } from '@playwright/test';

export interface Probe {
  painted(): Promise<void>;
  /** The number of the first message in the page. */
  oldest(): number;
  /** How many pixels the first visible message moves in `frames` frames after `act`; -1 when there is none. */
  movement(act: () => void, frames: number): Promise<number>;
  /** The same for one message, from the first frame in which it is in sight. */
  movementOf(position: number, frames: number): Promise<number>;
  /** Makes a row that is drawn above the visible ones higher, as a late image would; false when there is none. */
  growAbove(pixels: number): boolean;
  scrollTo(top: number): void;
  distanceToEnd(): number;
  rows(): number;
}

declare global {
  interface Window {
    __probe: Probe;
  }
}

/** Puts `__probe` into the page. */
export async function installProbe(page: Page): Promise<void> {
  await page.evaluate(() => {
    /** What is gone has moved further than anybody would bear. */
    const GONE_PX = 10_000;
    const feed = () => document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    const articles = () => [...feed().querySelectorAll<HTMLElement>('article')];
    /**
     * Resolves at the last moment before a paint, in a ResizeObserver made later than the list's own, on an element as
     * deep as its rows: what is read then is what is painted. An animation frame comes before the list has corrected
     * itself, and a task after the paint may come after the next change too, which nobody has seen yet.
     */
    const painted = () =>
      new Promise<void>((resolve) => {
        const observer = new ResizeObserver(() => {
          observer.disconnect();
          resolve();
        });
        // All of them: one that leaves the page before the paint would never answer.
        for (const row of feed().querySelectorAll('[data-index]')) observer.observe(row);
      });
    const firstVisible = () => {
      const top = feed().getBoundingClientRect().top;
      return articles().find((one) => one.getBoundingClientRect().bottom > top + 1);
    };
    const topOf = (position: string) =>
      feed().querySelector(`article[aria-posinset="${position}"]`)?.getBoundingClientRect().top ?? null;
    const worstOf = async (position: string, from: number, frames: number) => {
      let worst = 0;
      for (let frame = 0; frame < frames; frame += 1) {
        await painted();
        const now = topOf(position);
        worst = Math.max(worst, now === null ? GONE_PX : Math.abs(now - from));
      }
      return worst;
    };

    window.__probe = {
      painted,
      oldest: () => Number(feed().querySelector('article')?.getAttribute('aria-posinset') ?? 0),
      async movement(act, frames) {
        act();
        await painted();
        const anchor = firstVisible();
        const position = anchor?.getAttribute('aria-posinset') ?? null;
        if (anchor === undefined || position === null) return -1;
        return worstOf(position, anchor.getBoundingClientRect().top, frames);
      },
      async movementOf(position, frames) {
        const name = String(position);
        for (;;) {
          await painted();
          const { top, bottom } = feed().getBoundingClientRect();
          const at = topOf(name);
          if (at !== null && at >= top && at < bottom) return worstOf(name, at, frames);
        }
      },
      growAbove(pixels) {
        const seen = firstVisible();
        const above = articles().findLast(
          (one) => seen !== undefined && one.getBoundingClientRect().top < seen.getBoundingClientRect().top,
        );
        if (above === undefined) return false;
        const late = document.createElement('div');
        late.style.height = `${pixels}px`;
        above.append(late);
        return true;
      },
      scrollTo(top) {
        feed().scrollTop = top;
      },
      distanceToEnd: () => feed().scrollHeight - feed().scrollTop - feed().clientHeight,
      rows: () => articles().length,
    };
  });
}
