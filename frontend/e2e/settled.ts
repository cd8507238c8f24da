import type { Page } from '@playwright/test';

/** Waits until the letters are there and no transition runs: colours in the middle of one are nobody's colours. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const painted = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const ends = (one: Animation) => one.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY;
    await document.fonts.ready;
    for (;;) {
      // What changed just now begins its transition with the next picture.
      await painted();
      const running = document.getAnimations().filter((one) => one.playState === 'running' && ends(one));
      if (running.length === 0) return;
      await Promise.allSettled(running.map((one) => one.finished));
    }
  });
}

/** The pages of the settings, each with something that is only there. */
export const SETTINGS = [
  ['Profile', 'Display name'],
  ['Appearance', 'Theme'],
  ['Keyboard', 'Reset all keys'],
  ['People', 'Contacts'],
] as const;
