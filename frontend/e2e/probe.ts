/** Measures inside the page what the user sees: positions at each paint, never before the list has corrected itself. */
import { expect, type Page } from '@playwright/test';
import { messages } from './people';

export interface Probe {
  painted(): Promise<void>;
  /** The number of the first message in the page. */
  oldest(): number;
  /** Resolves when nothing in the list has changed for `frames` paints. */
  rest(frames: number): Promise<void>;
  /** Records at each paint how far the first fully visible message moves. Resolves when its position is known. */
  watch(): Promise<void>;
  /** Ends the recording after `frames` more paints; returns the largest movement in pixels. */
  stop(frames: number): Promise<number>;
  /** The same from the first paint near the upper edge until a page was added above, and for `frames` paints more. */
  movementWhileGrowingUpward(frames: number): Promise<number>;
  /** The same for one message, for `frames` paints from the first in which it is visible. */
  movementOf(position: number, frames: number): Promise<number>;
  /** Makes a row above the visible ones higher, as an image that loads late does. Returns false if there is no such row. */
  growAbove(pixels: number): boolean;
  scrollTo(top: number): void;
  rows(): number;
}

declare global {
  interface Window {
    __probe: Probe;
  }
}

/** Paints without a change after which the list is stable. */
const REST_FRAMES = 20;

/** Waits until the open conversation has reached its position and is stable. */
export async function atRest(page: Page): Promise<void> {
  await expect(messages(page)).toHaveAttribute('aria-busy', 'false');
  await page.evaluate((frames) => window.__probe.rest(frames), REST_FRAMES);
}

/** Returns how far visible messages move until the returned function is called, and `frames` paints more; in pixels. */
export async function watchReading(page: Page, frames = REST_FRAMES): Promise<() => Promise<number>> {
  await page.evaluate(() => window.__probe.watch());
  return () => page.evaluate((more) => window.__probe.stop(more), frames);
}

/** Installs `__probe` in the page. */
export async function installProbe(page: Page): Promise<void> {
  await page.evaluate(() => {
    /** A row that is gone counts as a movement above every limit. */
    const GONE_PX = 10_000;
    /** Closer to the beginning than where the next page is fetched. */
    const NEAR_START_PX = 250;
    const feed = () => document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    const articles = () => [...feed().querySelectorAll<HTMLElement>('article')];
    /**
     * Resolves at the last moment before a paint, in a ResizeObserver created later than the list's own, on an element as
     * deep as its rows: positions read then are painted. An animation frame comes before the list has corrected itself,
     * and a task after the paint may come after the next change, which is not painted yet.
     */
    const painted = () =>
      new Promise<void>((resolve) => {
        const observer = new ResizeObserver(() => {
          observer.disconnect();
          watching = false;
          resolve();
        });
        let watching = true;
        const watchRows = () => {
          if (!watching) return;
          for (const row of feed().querySelectorAll('[data-index]')) observer.observe(row);
          // Elements removed before the paint never report: then those that replaced them do.
          requestAnimationFrame(() => requestAnimationFrame(watchRows));
        };
        watchRows();
      });
    const inSight = () => {
      const { top, bottom } = feed().getBoundingClientRect();
      const seen = articles().filter((one) => {
        const box = one.getBoundingClientRect();
        return box.bottom > top + 1 && box.top < bottom;
      });
      return seen.find((one) => one.getBoundingClientRect().top >= top) ?? seen[0];
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

    let watched = { position: '', from: 0, worst: 0, frames: 0 };
    const watch = async () => {
      await painted();
      const anchor = inSight();
      const position = anchor?.getAttribute('aria-posinset') ?? null;
      if (anchor === undefined || position === null) throw new Error('No message is visible.');
      const mine = { position, from: anchor.getBoundingClientRect().top, worst: 0, frames: 0 };
      watched = mine;
      void (async () => {
        while (watched === mine) {
          mine.worst = Math.max(mine.worst, await worstOf(position, mine.from, 1));
          mine.frames += 1;
        }
      })();
    };
    const stop = async (frames: number) => {
      const mine = watched;
      const until = mine.frames + frames;
      while (mine.frames < until) await painted();
      watched = { ...mine };
      return mine.worst;
    };

    window.__probe = {
      painted,
      watch,
      stop,
      oldest: () => Number(feed().querySelector('article')?.getAttribute('aria-posinset') ?? 0),
      async rest(frames) {
        const look = () => {
          const { scrollTop, scrollHeight } = feed();
          const shown = articles().map((one) => one.getAttribute('aria-posinset'));
          return JSON.stringify([scrollTop, scrollHeight, shown]);
        };
        let before = look();
        for (let still = 0; still < frames; still += 1) {
          await painted();
          const now = look();
          if (now !== before) still = 0;
          before = now;
        }
      },
      async movementWhileGrowingUpward(frames) {
        feed().scrollTop = NEAR_START_PX;
        await watch();
        // When the list keeps the visible messages in place, a page above moves the edge away.
        while (feed().scrollTop < NEAR_START_PX + feed().clientHeight) await painted();
        return stop(frames);
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
        const { top } = feed().getBoundingClientRect();
        const above = articles().findLast((one) => one.getBoundingClientRect().bottom <= top);
        if (above === undefined) return false;
        const late = document.createElement('div');
        late.style.height = `${pixels}px`;
        above.append(late);
        return true;
      },
      scrollTo(top) {
        feed().scrollTop = top;
      },
      rows: () => articles().length,
    };
  });
}
