/** Scrolls through a long history with the wheel. */
import type { Page } from '@playwright/test';
import { messages } from '../people';

export interface Scrolling {
  /** Frames in each second of scrolling. */
  frames: number[];
  /** Milliseconds of each task over 50 ms. */
  longTasks: number[];
  /** The oldest message that was reached. */
  reached: number;
}

const STEP_PX = 600;

declare global {
  interface Window {
    __scrolling: { stop(): Scrolling; reached(): number };
  }
}

/** Scrolls up until the first message is loaded, or for `mostSeconds`. */
export async function measureScrolling(page: Page, mostSeconds: number): Promise<Scrolling> {
  const box = await messages(page).boundingBox();
  if (box === null) throw new Error('There is no list of messages.');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(() => {
    const longTasks: number[] = [];
    const frames: number[] = [];
    let running = true;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longTasks.push(entry.duration);
    });
    observer.observe({ type: 'longtask' });
    const reached = () =>
      Number(document.querySelector('[role="feed"] article')?.getAttribute('aria-posinset') ?? 0);
    let began = performance.now();
    let count = 0;
    const tick = () => {
      if (!running) return;
      count += 1;
      const now = performance.now();
      if (now - began >= 1_000) {
        frames.push((count * 1_000) / (now - began));
        began = now;
        count = 0;
      }
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    window.__scrolling = {
      reached,
      stop() {
        running = false;
        observer.disconnect();
        return { frames, longTasks, reached: reached() };
      },
    };
  });
  const until = Date.now() + mostSeconds * 1_000;
  for (let turn = 1; Date.now() < until; turn += 1) {
    await page.mouse.wheel(0, -STEP_PX);
    if (turn % 20 === 0 && (await page.evaluate(() => window.__scrolling.reached())) === 1) break;
  }
  return page.evaluate(() => window.__scrolling.stop());
}
