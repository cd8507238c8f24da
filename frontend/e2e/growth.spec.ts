/** Rows that grow late do not move what is being read: 0 px, sampled after paint. */
import { expect, type Page, test } from '@playwright/test';
import { expectConnected, messages, PASSWORD } from './people';
import { installProbe } from './probe';
import { type Account, Seeder } from './seed';

declare global {
  interface Window {
    __growth: { worst: number; frames: number; going: boolean };
  }
}

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
  await page.goto('./');
  await page.getByRole('textbox', { name: 'Username' }).fill(anna.name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectConnected(page);
  await page.goto(`./#/c/${room}/30`);
  await expect(messages(page).locator('article[aria-posinset="30"]')).toBeInViewport();
  await page.waitForTimeout(800);
  await installProbe(page);
}

/** Watches, paint by paint, where the first message that stands whole in sight is, until the answer is called. */
async function watch(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(async () => {
    const feed = document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    await window.__probe.painted();
    const { top, bottom } = feed.getBoundingClientRect();
    const read = [...feed.querySelectorAll<HTMLElement>('article')].find((one) => {
      const box = one.getBoundingClientRect();
      return box.top >= top && box.bottom <= bottom;
    });
    const position = read?.getAttribute('aria-posinset');
    const place = () =>
      feed.querySelector(`article[aria-posinset="${position}"]`)?.getBoundingClientRect().top ?? 10_000;
    const begin = place();
    const state = { worst: 0, frames: 0, going: true };
    window.__growth = state;
    void (async () => {
      while (state.going) {
        await window.__probe.painted();
        state.frames += 1;
        state.worst = Math.max(state.worst, Math.abs(place() - begin));
      }
    })();
  });
  return async () => {
    const { worst, frames } = await page.evaluate(() => {
      window.__growth.going = false;
      return window.__growth;
    });
    expect(frames).toBeGreaterThan(5);
    return worst;
  };
}

/** Places of the rows in the list, by seq, and which stand whole in sight. */
function inSight(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const feed = document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    const { top, bottom } = feed.getBoundingClientRect();
    return [...feed.querySelectorAll<HTMLElement>('article')]
      .filter((one) => one.getBoundingClientRect().bottom > top && one.getBoundingClientRect().top < bottom)
      .map((one) => Number(one.getAttribute('aria-posinset')));
  });
}

test('a reaction, an edit and a deletion above and below what is read move nothing', async ({ page }) => {
  await signedIn(page);
  const seen = await inSight(page);
  const [first, last] = [seen[0] as number, seen.at(-1) as number];
  const stop = await watch(page);
  // Drawn beyond the edges, where rows are kept ready.
  for (const seq of [first - 2, first - 3, last + 2]) {
    await seeder.react(sent.get(seq) as string, ben, '👍');
    await page.waitForTimeout(120);
  }
  const grow = { text: `${'grown '.repeat(200)}\n\n${CODE}` };
  await seeder.call(`/messages/${sent.get(first - 1)}`, 'PATCH', grow, ben.token);
  await seeder.call(`/messages/${sent.get(last + 1)}`, 'PATCH', grow, ben.token);
  await page.waitForTimeout(300);
  await seeder.call(`/messages/${sent.get(first - 4)}`, 'DELETE', undefined, ben.token);
  await page.waitForTimeout(400);
  expect(await stop()).toBe(0);
  // All of that has come to the rows.
  const row = (seq: number) => messages(page).locator(`article[aria-posinset="${seq}"]`);
  for (const seq of [first - 2, first - 3, last + 2]) await expect(row(seq)).toContainText('👍');
  for (const seq of [first - 1, last + 1]) await expect(row(seq)).toContainText('grown');
  await expect(row(first - 4)).toContainText('deleted');
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
  expect(await messages(page).locator('.hljs-keyword').count()).toBe(0);
  const stop = await watch(page);
  release();
  await expect(messages(page).locator('.hljs-keyword').first()).toBeAttached();
  await page.waitForTimeout(300);
  expect(await stop()).toBe(0);
});

test('letters that arrive late do not move what is read', async ({ page }) => {
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
  const stop = await watch(page);
  release();
  await expect.poll(loaded).toBe(true);
  await page.waitForTimeout(400);
  expect(await stop()).toBe(0);
});
