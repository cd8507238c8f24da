import { expect, type Page } from '@playwright/test';
import { expectAtEnd, latestButton, messages, open, signIn, toLatest } from './people';
import { atRest, installProbe, watchReading } from './probe';
import { type Account, Seeder } from './seed';
import { test } from './test';

const MANY = Number(process.env.CHAT_MVP_E2E_MESSAGES ?? 10_000);
const TURNS = 20;
/** More than fit on a screen. */
const UNREAD = 40;

let anna: Account;
let ben: Account;
let room: string;
let seeder: Seeder;

test.beforeAll(async ({ baseURL }) => {
  seeder = new Seeder(baseURL as string);
  anna = await seeder.account('anna');
  ben = await seeder.account('ben');
  room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, MANY);
});

/** Opens the conversation, which was read completely, so that it opens at its end. */
async function signedInAtEnd(page: Page): Promise<void> {
  await seeder.readAll(room, anna);
  await signIn(page, anna.name);
  await open(page, ben.name);
  await expectAtEnd(page);
  await installProbe(page);
  await atRest(page);
}

function row(page: Page, position: number) {
  return messages(page).locator(`article[aria-posinset="${position}"]`);
}

test('a long history grows upward without moving visible messages', async ({ page }) => {
  await signedInAtEnd(page);
  const moved: number[] = [];
  const oldest: number[] = [await page.evaluate(() => window.__probe.oldest())];
  for (let turn = 0; turn < TURNS; turn += 1) {
    moved.push(await page.evaluate(() => window.__probe.movementWhileGrowingUpward(30)));
    oldest.push(await page.evaluate(() => window.__probe.oldest()));
  }
  expect(Math.max(...moved)).toBeLessThanOrEqual(1);
  expect(oldest).toEqual([...new Set(oldest)].sort((a, b) => b - a));
  expect(await page.evaluate(() => window.__probe.rows())).toBeLessThan(80);
});

test('new messages do not move a user who reads above, and are followed at the end', async ({ page }) => {
  await signedInAtEnd(page);
  for (let n = 0; n < 5; n += 1) await seeder.say(room, ben, `at the end ${n} ${'word '.repeat(n * 20)}`);
  await expect(messages(page).getByText('at the end 4')).toBeVisible();
  await expectAtEnd(page);
  const entry = page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: ben.name });
  await expect(entry).not.toContainText('unread');

  await page.evaluate(() => window.__probe.scrollTo(900));
  await atRest(page);
  const stop = await watchReading(page);
  for (let n = 0; n < 5; n += 1) await seeder.say(room, ben, `while reading above ${n}`);
  await expect(latestButton(page)).toHaveText('5 new messages');
  expect(await stop()).toBeLessThanOrEqual(1);
});

test('opens at the first unread message and jumps to the latest and back to a date', async ({ page }) => {
  await seeder.readAll(room, anna);
  const { seq: first } = await seeder.say(room, ben, 'the first that was not read');
  for (let n = 1; n < UNREAD; n += 1) await seeder.say(room, ben, `not read ${n}`);
  await signIn(page, anna.name);
  await open(page, ben.name);
  await expect(messages(page)).toHaveAttribute('aria-busy', 'false');
  await expect(messages(page).getByText('New messages')).toBeInViewport();
  await expect(row(page, first)).toBeInViewport();
  await expect(row(page, first)).toContainText('the first that was not read');
  await expect(row(page, first + UNREAD - 1)).not.toBeInViewport();
  await toLatest(page);
  await expect(row(page, first + UNREAD - 1)).toBeInViewport();

  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Jump to a date' }).click();
  await page.getByRole('textbox', { name: 'Date' }).fill('2020-01-01');
  await page.getByRole('button', { name: 'Jump', exact: true }).click();
  await expect(row(page, 1)).toBeInViewport();
  await expect(messages(page).getByText('This is the beginning of your conversation.')).toBeVisible();
  // It stays there: pages fetched below are not followed.
  await installProbe(page);
  await atRest(page);
  await expect(row(page, 1)).toBeInViewport();
  await toLatest(page);
});
