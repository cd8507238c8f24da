/** Faulty servers: the page reports it, shows what it has, and continues when they recover. */
import { expect, type Page } from '@playwright/test';
import {
  expectConnected,
  goOffline,
  goOnline,
  messages,
  newPerson,
  open,
  openMenu,
  openMenuOf,
  say,
  startWith,
} from './people';
import { overhear } from './reader';
import { test } from './test';

const BROKEN = [
  ['500', { status: 500, body: 'no' }],
  ['429', { status: 429, headers: { 'retry-after': '1' }, body: '{}' }],
  ['HTML instead of JSON', { status: 200, contentType: 'text/html', body: '<h1>proxy</h1>' }],
] as const;

test('an unusual refusal by the server becomes a text, never a blank page', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await say(page, 'before');
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  for (const [name, answer] of BROKEN) {
    await page.route('**/api/v1/**', (route) => route.fulfill(answer));
    await page.getByRole('button', { name: 'Details', exact: true }).click();
    // The notice disappears after a few seconds: its text is recorded in the page, and dismissing it may be too late.
    const heard = await overhear(page);
    await page.getByRole('button', { name: 'Add to contacts' }).click();
    await expect.poll(heard, name).toContainEqual(expect.stringMatching(/^(Server error|Too many requests)/));
    const dismiss = page.getByRole('button', { name: 'Dismiss' });
    await dismiss.evaluateAll((found) => {
      for (const one of found) (one as HTMLElement).click();
    });
    await expect(page.getByRole('log').locator('p')).toHaveCount(0);
    await page.getByRole('button', { name: 'Close details' }).click();
    await openMenu(page, 'before');
    await page.getByRole('menuitem', { name: 'Message info' }).click();
    await expect(page.getByRole('dialog').getByRole('alert'), name).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.unroute('**/api/v1/**');
  }
  await say(page, 'after');
  await expect(messages(page).getByText('Delivered')).toHaveCount(2);
  expect(failures).toEqual([]);
});

test('unknown frames of a newer server and invalid frames change nothing', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'before');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('before')).toBeVisible();
  const failures: string[] = [];
  ben.page.on('pageerror', (error) => failures.push(error.message));
  await ben.page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      socket.send(frame);
      for (const strange of [
        '{"type":"weather.changed","degrees":12}',
        '{"type":"message.danced","message":{"id":"x"}}',
        '{"no":"type"}',
        '[]',
        'null',
        'not even JSON',
        '',
      ]) {
        socket.send(strange);
      }
    });
  });
  await ben.page.reload();
  await expectConnected(ben.page);
  await say(anna.page, 'among strange frames');
  await expect(messages(ben.page).getByText('among strange frames')).toHaveCount(1);
  await say(ben.page, 'heard');
  await expect(messages(anna.page).getByText('heard')).toHaveCount(1);
  await expect(messages(ben.page).getByText('Sending')).toHaveCount(0);
  expect(failures).toEqual([]);
});

/** Counts every load of the page from now on. */
function countLoads(page: Page): () => number {
  let loads = 0;
  page.on('domcontentloaded', () => {
    loads += 1;
  });
  return () => loads;
}

test('another version on the server is announced, loaded once, and keeps unsent messages', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna', { serviceWorkers: 'block' });
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await say(page, 'before');
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  // The address always returns another page than the running one: the worst case of a cache in between.
  await page.route(/\/\?version$/, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<!doctype html><script type="module" src="./assets/index-another.js"></script>',
    }),
  );
  const loads = countLoads(page);
  await goOffline(page);
  await say(page, 'while the server was replaced');
  await page.getByRole('textbox', { name: 'Message' }).fill('in the middle of a sen');
  await page.context().setOffline(false);
  await expect(page.getByText('A new version is available.')).toBeVisible();
  // Not while the user types: longer than it would take otherwise.
  await page.waitForTimeout(4_000);
  expect(loads()).toBe(0);
  await page.getByRole('textbox', { name: 'Message' }).blur();
  await expect.poll(loads).toBe(1);
  await expectConnected(page);
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('in the middle of a sen');
  await expect(messages(page).getByText('while the server was replaced')).toHaveCount(1);
  await expect(messages(page).getByText('Delivered')).toHaveCount(2);
  // Only once: it still shows the notice, and the user can continue.
  await page.waitForTimeout(8_000);
  expect(loads()).toBe(1);
});

test('a server that does not understand the page is reported, and the page is reloaded once', async ({
  browser,
}) => {
  const { page } = await newPerson(browser, 'anna');
  const loads = countLoads(page);
  await page.routeWebSocket(/\/ws$/, (socket) => {
    socket.onMessage(() => socket.close({ code: 4400, reason: 'protocol violation' }));
  });
  await page.reload({ waitUntil: 'commit' });
  await expect(page.getByText('are incompatible').first()).toBeVisible();
  await expect.poll(loads).toBe(2);
  await expect(page.getByText('are incompatible').first()).toBeVisible();
  await page.waitForTimeout(5_000);
  expect(loads()).toBe(2);
  await expect(page.getByRole('button', { name: 'Reload' })).toBeVisible();
});

test('a chunk that cannot be loaded does not affect the rest, and unsent messages are kept', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna', { serviceWorkers: 'block' });
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await page.route(/assets\/SettingsDialog-/, (route) => route.fulfill({ status: 404, body: '' }));
  const loads = countLoads(page);
  const settings = async () => {
    await openMenuOf(page, anna.name);
    await page.getByRole('menuitem', { name: 'Settings' }).click();
  };
  // A newer server no longer has the old chunks; a reload would load the new ones.
  await settings();
  await expect.poll(loads).toBe(1);
  await expectConnected(page);
  await goOffline(page);
  await say(page, 'written before it broke');
  await settings();
  await expect(page.getByText('This part failed to load')).toBeVisible();
  await expect(messages(page).getByText('written before it broke')).toBeVisible();
  await page.getByRole('alert').getByRole('button', { name: 'Close' }).click();
  await goOnline(page);
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('written before it broke')).toHaveCount(1);
});
