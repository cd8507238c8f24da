import { expect, type Page, test } from '@playwright/test';
import { expectConnected, messages, open, PASSWORD } from './people';
import { installProbe, type Probe } from './probe';
import { type Account, Seeder } from './seed';

declare global {
  interface Window {
    __probe: Probe;
  }
}

const MANY = Number(process.env.CHAT_MVP_E2E_MESSAGES ?? 10_000);

let anna: Account;
let ben: Account;
let room: string;
let seeder: Seeder;

test.beforeAll(async ({ baseURL }) => {
  test.setTimeout(240_000);
  seeder = new Seeder(baseURL as string);
  anna = await seeder.account('anna');
  ben = await seeder.account('ben');
  room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, MANY);
  await seeder.call(`/conversations/${room}/read`, 'POST', { seq: MANY }, anna.token).catch(() => undefined);
});

async function signedIn(page: Page): Promise<void> {
  await page.goto('./');
  await page.getByRole('textbox', { name: 'Username' }).fill(anna.name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectConnected(page);
  await open(page, ben.name);
  await expect(messages(page).getByRole('article').first()).toBeVisible();
  const latest = page.getByRole('button', { name: /latest|new messages/ });
  if (await latest.isVisible()) await latest.click();
  await page.waitForTimeout(1_000);
  await installProbe(page);
}

test('a long history grows upward without moving what is being read', async ({ page }) => {
  test.setTimeout(120_000);
  await signedIn(page);
  const moved: number[] = [];
  for (let turn = 0; turn < 20; turn += 1) {
    const before = await page.evaluate(() => window.__probe.oldest());
    moved.push(await page.evaluate(() => window.__probe.movement(() => window.__probe.scrollTo(250), 30)));
    await expect.poll(() => page.evaluate(() => window.__probe.oldest())).toBeLessThan(before);
  }
  expect(Math.max(...moved)).toBeLessThanOrEqual(1);
  expect(await page.evaluate(() => window.__probe.rows())).toBeLessThan(80);
});

test('what arrives below does not move somebody who reads above, and follows somebody at the end', async ({
  page,
}) => {
  await signedIn(page);
  expect(await page.evaluate(() => window.__probe.distanceToEnd())).toBeLessThanOrEqual(1);
  for (let n = 0; n < 5; n += 1) await seeder.say(room, ben, `at the end ${n} ${'word '.repeat(n * 20)}`);
  await expect(messages(page).getByText('at the end 4')).toBeVisible();
  await page.waitForTimeout(300);
  expect(await page.evaluate(() => window.__probe.distanceToEnd())).toBeLessThanOrEqual(1);

  await page.evaluate(() => window.__probe.movement(() => window.__probe.scrollTo(900), 30));
  const moving = page.evaluate(() => window.__probe.movement(() => undefined, 60));
  for (let n = 0; n < 5; n += 1) await seeder.say(room, ben, `while reading above ${n}`);
  expect(await moving).toBeLessThanOrEqual(1);
  await expect(page.getByRole('button', { name: /new messages/ })).toBeVisible();
});

test('opens at the first unread message and jumps to the latest and back to a date', async ({ page }) => {
  await signedIn(page);
  await expect(messages(page).getByRole('article').last()).toHaveAttribute('aria-posinset', /\d+/);
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Jump to a date' }).click();
  await page.getByRole('textbox', { name: 'Date' }).fill('2020-01-01');
  await page.getByRole('button', { name: 'Jump', exact: true }).click();
  await expect(messages(page).locator('article[aria-posinset="1"]')).toBeVisible();
  await expect(messages(page).getByText('This is the beginning of your conversation.')).toBeVisible();
  // And stays there: pages fetched below are not followed.
  await page.waitForTimeout(500);
  await expect(messages(page).locator('article[aria-posinset="1"]')).toBeVisible();
  await page.getByRole('button', { name: 'Jump to the latest message' }).click();
  await expect.poll(() => page.evaluate(() => window.__probe.distanceToEnd())).toBeLessThanOrEqual(1);
});
