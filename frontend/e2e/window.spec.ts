/** The number of messages that a page holds is bounded, without a visible effect for the reader. */
import { expect, type Page } from '@playwright/test';
import { expectAtEnd, latestButton, messages, open, say, signIn, toLatest } from './people';
import { atRest, installProbe, watchReading } from './probe';
import { type Account, Seeder } from './seed';
import { test } from './test';

const MANY = 1_500;
/** The maximum held at once, including the page that exceeds the limit. */
const MOST = 1_150;
/** Pixels from an edge of the list: closer than where the next page is fetched. */
const NEAR_PX = 250;

let anna: Account;
let ben: Account;
let room: string;
let seeder: Seeder;

test.beforeEach(async ({ page, baseURL }) => {
  seeder = new Seeder(baseURL as string);
  anna = await seeder.account('anna');
  ben = await seeder.account('ben');
  room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, MANY);
  await seeder.readAll(room, anna);
  await signIn(page, anna.name);
  await open(page, ben.name);
  await expectAtEnd(page);
  await installProbe(page);
  await atRest(page);
});

/** The number of messages that the page reports to hold. */
async function held(page: Page): Promise<number> {
  await page.keyboard.press('Control+k');
  await page
    .getByRole('combobox', { name: 'Find people, conversations, messages and commands' })
    .fill('connection');
  await page.getByRole('option', { name: 'Connection details' }).click();
  const panel = page.getByRole('dialog', { name: 'Connection details' });
  const line = panel.getByText('Messages on this page', { exact: true });
  const text = await line.locator('xpath=following-sibling::dd').innerText();
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  return Number(text.replace(/\D/g, ''));
}

/** Scrolls up until message `oldest` is loaded; returns the largest movement of visible messages, in pixels. */
async function readUpTo(page: Page, oldest: number): Promise<number> {
  let worst = 0;
  while ((await page.evaluate(() => window.__probe.oldest())) > oldest) {
    worst = Math.max(worst, await page.evaluate(() => window.__probe.movementWhileGrowingUpward(30)));
  }
  return worst;
}

/** Scrolls down until message `newest` is loaded; returns the largest movement of visible messages, in pixels. */
async function readDownTo(page: Page, newest: number): Promise<number> {
  const row = messages(page).locator(`article[aria-posinset="${newest}"]`);
  let worst = 0;
  while ((await row.count()) === 0) {
    await messages(page).evaluate((one, near) => {
      one.scrollTop = one.scrollHeight - one.clientHeight - near;
    }, NEAR_PX);
    const stop = await watchReading(page, 30);
    worst = Math.max(worst, await stop());
  }
  return worst;
}

test('messages far from the visible ones are dropped and reloaded without moving anything', async ({
  page,
}) => {
  expect(await readUpTo(page, 100)).toBeLessThan(1);
  expect(await held(page)).toBeLessThanOrEqual(MOST);

  await atRest(page);
  const stop = await watchReading(page);
  for (let n = 1; n <= 3; n += 1) await seeder.say(room, ben, `while reading far above ${n}`);
  await expect(latestButton(page)).toHaveText('3 new messages');
  expect(await stop()).toBeLessThan(1);

  expect(await readDownTo(page, MANY + 3)).toBeLessThan(1);
  await messages(page).evaluate((one) => one.scrollTo({ top: one.scrollHeight }));
  await expectAtEnd(page);
  await expect(messages(page).getByText('while reading far above 3')).toBeInViewport();
  expect(await held(page)).toBeLessThanOrEqual(MOST);
  await seeder.say(room, ben, 'followed again');
  await expect(messages(page).getByText('followed again')).toBeInViewport();
  await expectAtEnd(page);
});

test('from far above a button, or an own message, leads back to the end', async ({ page }) => {
  await readUpTo(page, 200);
  await seeder.say(room, ben, 'nobody saw this come');
  await expect(latestButton(page)).toHaveText('1 new message');
  await toLatest(page);
  await expect(messages(page).getByText('nobody saw this come')).toBeInViewport();

  await readUpTo(page, 200);
  await say(page, 'from far above');
  await expect(messages(page).getByText('from far above')).toBeInViewport();
  await expectAtEnd(page);
});

test('a user who stays at the end holds only the messages near it', async ({ page }) => {
  await seeder.fill(room, ben, MANY);
  await seeder.say(room, ben, 'the last of many');
  await expect(messages(page).getByText('the last of many')).toBeInViewport();
  await expectAtEnd(page);
  expect(await held(page)).toBeLessThanOrEqual(MOST);
  await atRest(page);
  expect(await readUpTo(page, 2 * MANY - 200)).toBeLessThan(1);
});

test('own messages appear at the end immediately, and the box is one line again', async ({ page }) => {
  await page.evaluate(() => {
    const state = { seen: 0 };
    Object.assign(window, { __away: state });
    new MutationObserver((changes) => {
      for (const node of changes.flatMap((change) => [...change.addedNodes])) {
        if (node instanceof Element && node.matches('[title="Jump to the latest message"]')) state.seen += 1;
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  const box = page.getByRole('textbox', { name: 'Message' });
  const height = async () => (await box.boundingBox())?.height ?? 0;
  const empty = await height();
  const texts = [
    'short',
    'two\nlines',
    `many ${'words '.repeat(80)}`,
    '- a list\n- of **two**',
    'short again',
  ];
  for (const text of texts) {
    await box.fill(text);
    if (text.includes('\n')) await expect.poll(height).toBeGreaterThanOrEqual(empty + 20);
    await page.keyboard.press('Enter');
    await expect.poll(height).toBe(empty);
    await expectAtEnd(page);
  }
  await expect(messages(page).getByText('short again')).toBeInViewport();
  expect(await page.evaluate(() => (window as unknown as { __away: { seen: number } }).__away.seen)).toBe(0);
});
