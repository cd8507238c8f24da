import type { Page } from '@playwright/test';

/** Waits until fonts are loaded and no transition runs, because colours during a transition are not final. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const ends = (one: Animation) => one.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
    await document.fonts.ready;
    for (;;) {
      // A recent change starts its transition with the next paint.
      await painted();
      const running = document.getAnimations().filter((one) => one.playState === 'running' && ends(one));
      if (running.length === 0) return;
      await Promise.allSettled(running.map((one) => one.finished));
    }
  });
}

/** The pages of the settings, each with an element that only that page has. */
export const SETTINGS = [
  ['Profile', 'Display name'],
  ['Appearance', 'Theme'],
  ['Keyboard', 'Reset all keys'],
  ['People', 'Contacts'],
] as const;
