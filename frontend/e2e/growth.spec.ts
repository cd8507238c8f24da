/** Rows that grow late do not move what is being read: 0 px, sampled after paint. */
import { expect, type Page, test } from '@playwright/test';
import { expectConnected, messages, PASSWORD } from './people';
import { type Account, Seeder } from './seed';

let seeder: Seeder;
let anna: Account;
let ben: Account;
let room: string;

const CODE = '```python\nfor person in team:\n    remind(person, at="07:30")  # early\n```';

test.beforeAll(async ({ baseURL }) => {
  seeder = new Seeder(baseURL as string);
  anna = await seeder.account('anna');
  ben = await seeder.account('ben', 'Ben');
  room = await seeder.direct(ben, anna);
  for (let n = 1; n <= 60; n += 1) {
    const text =
      n % 4 === 0 ? `${n}\n\n${CODE}` : n % 4 === 1 ? `${n} with **some** \`words\`` : `plain ${n}`;
    await seeder.say(room, ben, text);
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
}

/** Watches, paint by paint, where the message in the middle stands, until `stop`. */
async function watch(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const feed = document.querySelector<HTMLElement>('[role="feed"]') as HTMLElement;
    const { top, height } = feed.getBoundingClientRect();
    const rows = [...feed.querySelectorAll<HTMLElement>('article')];
    // What is being read: the first one that stands whole below the upper edge.
    const read = rows.find((one) => {
      const box = one.getBoundingClientRect();
      return box.top >= top && box.bottom <= top + height;
    });
    const position = read?.getAttribute('aria-posinset');
    const place = () =>
      feed.querySelector(`article[aria-posinset="${position}"]`)?.getBoundingClientRect().top ?? 10_000;
    const begin = place();
    const state = { worst: 0, frames: 0, going: true };
    const sample = () => {
      if (!state.going) return;
      requestAnimationFrame(() => {
        // After the paint: a message is handled when the frame is done.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          state.frames += 1;
          state.worst = Math.max(state.worst, Math.abs(place() - begin));
          sample();
        };
        port2.postMessage(null);
      });
    };
    sample();
    (window as unknown as { __growth: typeof state }).__growth = state;
  });
  return async () => {
    const { worst, frames } = await page.evaluate(() => {
      const state = (window as unknown as { __growth: { worst: number; frames: number; going: boolean } })
        .__growth;
      state.going = false;
      return state;
    });
    expect(frames).toBeGreaterThan(5);
    return worst;
  };
}

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
