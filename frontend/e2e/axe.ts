import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { settled } from './settled';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Returns every known accessibility violation of the page as it is now, with the elements. */
export async function violationsOf(page: Page): Promise<string[]> {
  await settled(page);
  // What axe calls its legacy mode analyses no frames of other origins. Without frames it finds the same, in half the
  // time, because it opens no second page for the results.
  expect(page.frames()).toHaveLength(1);
  const builder = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).withTags(RULES);
  const { violations } = await builder.setLegacyMode().analyze();
  return violations.map(
    (one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
  );
}
