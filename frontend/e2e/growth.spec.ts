/** Rows that grow late do not move visible messages: 0 px, sampled after paint. */
import { expect, type Page } from '@playwright/test';
import { messages, signIn } from './people';
import { atRest, installProbe, watchReading } from './probe';
import { type Account, Seeder } from './seed';
import { test } from './test';

/** Less than a pixel is invisible: positions are sums of fractions. */
const MOVED_PX = 0.5;

// Otherwise a prefetch may load the late content early or block it, depending on the machine's speed.
test.use({ serviceWorkers: 'block' });

let seeder: Seeder;
let anna: Account;
let ben: Account;
let room: string;
/** By seq. */
const sent = new Map<number, string>();

const CODE = '```python\nfor person in team:\n    remind(person, at="07:30")  # early\n```';

test.beforeAll(async ({ baseURL }) => {
  seeder = new Seeder(baseURL as string);
  anna = await seeder.account('anna');
  ben = await seeder.account('ben', 'Ben');
  room = await seeder.direct(ben, anna);
  for (let n = 1; n <= 60; n += 1) {
    const text =
      n % 4 === 0 ? `${n}\n\n${CODE}` : n % 4 === 1 ? `${n} with **some** \`words\`` : `plain ${n}`;
    const { id, seq } = await seeder.say(room, ben, text);
    sent.set(seq, id);
  }
});

async function signedIn(page: Page): Promise<void> {
  await signIn(page, anna.name);
  await page.goto(`./#/c/${room}/30`);
  await expect(messages(page).locator('article[aria-posinset="30"]')).toBeInViewport();
  await installProbe(page);
  await atRest(page);
}

/** Positions of the rows in the list, by seq, and which rows are fully visible. */
function inSight(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const feed = document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    const { top, bottom } = feed.getBoundingClientRect();
    return [...feed.querySelectorAll<HTMLElement>('article')]
      .filter((one) => one.getBoundingClientRect().bottom > top && one.getBoundingClientRect().top < bottom)
      .map((one) => Number(one.getAttribute('aria-posinset')));
  });
}

test('a reaction, an edit and a deletion above and below the visible messages move nothing', async ({
  page,
}) => {
  await signedIn(page);
  const seen = await inSight(page);
  const [first, last] = [seen[0] as number, seen.at(-1) as number];
  const row = (seq: number) => messages(page).locator(`article[aria-posinset="${seq}"]`);
  const stop = await watchReading(page);
  // Rendered beyond the visible part, where rows are kept ready.
  for (const seq of [first - 2, first - 3, last + 2]) {
    await seeder.react(sent.get(seq) as string, ben, '👍');
    await expect(row(seq)).toContainText('👍');
  }
  const grow = { text: `${'grown '.repeat(200)}\n\n${CODE}` };
  for (const seq of [first - 1, last + 1]) {
    await seeder.call(`/messages/${sent.get(seq)}`, 'PATCH', grow, ben.token);
    await expect(row(seq)).toContainText('grown');
  }
  await seeder.call(`/messages/${sent.get(first - 4)}`, 'DELETE', undefined, ben.token);
  await expect(row(first - 4)).toContainText('deleted');
  expect(await stop()).toBeLessThan(MOVED_PX);
});

test('code that is highlighted late keeps its size', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.context().route(/assets\/Highlighted-.*\.js/, async (route) => {
    await held;
    await route.continue();
  });
  await signedIn(page);
  await expect(messages(page).locator('pre').first()).toBeVisible();
  await expect(messages(page).locator('.hljs-keyword')).toHaveCount(0);
  const stop = await watchReading(page);
  release();
  await expect(messages(page).locator('.hljs-keyword').first()).toBeAttached();
  expect(await stop()).toBeLessThan(MOVED_PX);
});

test('a font that loads late does not move visible messages', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.context().route(/assets\/inter-.*\.woff2/, async (route) => {
    await held;
    await route.continue();
  });
  await signedIn(page);
  const loaded = () =>
    page.evaluate(() =>
      [...document.fonts].some((one) => one.family.includes('Inter') && one.status === 'loaded'),
    );
  expect(await loaded()).toBe(false);
  const stop = await watchReading(page);
  release();
  await expect.poll(loaded).toBe(true);
  expect(await stop()).toBeLessThan(MOVED_PX);
});
