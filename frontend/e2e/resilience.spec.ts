import { expect } from '@playwright/test';
import { expectKept } from './device';
import {
  expectConnected,
  expectInstalled,
  goOffline,
  messages,
  newPerson,
  open,
  register,
  say,
  startWith,
  uniqueName,
} from './people';
import { test } from './test';

test('two tabs share one connection, and the second takes over when the first is closed', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'from the first tab');

  const second = await anna.page.context().newPage();
  const sockets: string[] = [];
  second.on('websocket', (socket) => sockets.push(socket.url()));
  await second.goto('./');
  await expectConnected(second);
  await open(second, ben.name);
  await expect(messages(second).getByText('from the first tab')).toBeVisible();
  await say(second, 'from the second tab');
  await expect(messages(second).getByText('Delivered')).toHaveCount(2);
  await expect(messages(anna.page).getByText('from the second tab')).toHaveCount(1);
  expect(sockets).toEqual([]);

  await open(ben.page, anna.name);
  await say(ben.page, 'to both');
  await expect(messages(anna.page).getByText('to both')).toBeVisible();
  await expect(messages(second).getByText('to both')).toBeVisible();

  await anna.page.close();
  await expectConnected(second);
  await say(second, 'still here');
  await expect(messages(ben.page).getByText('still here')).toHaveCount(1);
  await expect.poll(() => sockets.length).toBeGreaterThan(0);
});

test('signing out in one tab signs out the other one', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const second = await anna.page.context().newPage();
  await second.goto('./');
  await expectConnected(second);
  await anna.page.getByRole('button', { name: 'Sign out' }).click();
  await expect(anna.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect(second.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await anna.page.reload();
  await expect(anna.page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('opens and shows stored data without any network', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'kept on the device');
  await expect(messages(anna.page).getByText('Delivered')).toBeAttached();
  await expectInstalled(anna.page);
  await anna.page.reload();
  await expectConnected(anna.page);
  await expectKept(anna.page, 'messages', 'kept on the device');
  await goOffline(anna.page);
  await anna.page.reload();
  await expect(messages(anna.page).getByText('kept on the device')).toBeVisible();
  await expect(anna.page.getByRole('status', { name: 'Connection' })).toContainText('Offline');
});

test('drafts survive a reload and stay in their own conversation', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const cleo = await newPerson(browser, 'cleo');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'hello');
  await startWith(anna.page, cleo.name);
  await say(anna.page, 'hello');
  const box = anna.page.getByRole('textbox', { name: 'Message' });
  await box.fill('for Cleo');
  await open(anna.page, ben.name);
  await expect(box).toHaveValue('');
  await box.fill('for Ben');
  for (const text of ['for Cleo', 'for Ben']) await expectKept(anna.page, 'drafts', text);
  await anna.page.reload();
  await expect(box).toHaveValue('for Ben');
  await open(anna.page, cleo.name);
  await expect(box).toHaveValue('for Cleo');
});

/** What is written, and what must be visible of it. */
const NASTY = [
  ['**now** [click](javascript:window.__hit=1) <a href="javascript:window.__hit=1">me</a>', 'me'],
  ['<img src=x onerror="window.__hit=1"><script>window.__hit=1</script>', 'window.__hit=1'],
  ['x'.repeat(9_990), 'x'.repeat(9_990)],
  // No language has as many marks on a letter: 8 of them are shown.
  [`a${'\u0301'.repeat(1_000)}b`, `a${'\u0301'.repeat(8)}b`],
  ['\u202Eright to left override\u202C', 'right to left override'],
  ['**broken _markdown `everywhere [](', '**broken _markdown `everywhere []('],
  ['| a | b |\n|---|\n'.repeat(50), '|---|'],
] as const;

test('harmful and broken text is shown safely and completely', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna', { viewport: { width: 390, height: 700 } });
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('dialog', (dialog) => {
    failures.push(dialog.message());
    void dialog.dismiss();
  });
  await startWith(page, ben.name);
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  for (const [index, [text, shown]] of NASTY.entries()) {
    await say(page, text);
    const row = messages(page).locator(`article[aria-posinset="${index + 1}"]`);
    await expect(row.getByText('Delivered')).toBeAttached();
    await expect(row).toContainText(shown);
    // Once Markdown is loaded and rendered.
    if (index === 0) await expect(row.getByText('now', { exact: true })).toBeVisible();
    await expect(row.locator('img, script, [onerror], a[href^="javascript"]')).toHaveCount(0);
    await expect.poll(overflow).toBeLessThanOrEqual(0);
  }
  expect(await page.evaluate(() => (window as unknown as { __hit?: number }).__hit)).toBeUndefined();
  expect(failures).toEqual([]);
});

for (const [name, answer] of [
  ['500', { status: 500, body: 'no' }],
  ['HTML instead of JSON', { status: 200, contentType: 'text/html', body: '<h1>proxy</h1>' }],
  ['429', { status: 429, headers: { 'retry-after': '1' }, body: '{}' }],
] as const) {
  test(`a server that answers ${name} never causes a blank page`, async ({ browser }) => {
    const anna = await newPerson(browser, 'anna');
    const ben = await newPerson(browser, 'ben');
    await startWith(anna.page, ben.name);
    await say(anna.page, 'before');
    await expect(messages(anna.page).getByText('Delivered')).toHaveCount(1);
    await expectKept(anna.page, 'messages', 'before');
    await anna.page.route('**/api/v1/**', (route) => route.fulfill(answer));
    await anna.page.reload();
    await expect(messages(anna.page).getByText('before')).toBeVisible();
    await say(anna.page, 'while it is broken');
    await expect(messages(anna.page).getByText('while it is broken')).toBeVisible();
    await anna.page.unroute('**/api/v1/**');
    await expect(messages(anna.page).getByText('Delivered')).toHaveCount(2);
    await expect(messages(anna.page).getByText('Sending')).toHaveCount(0);
  });
}

test('loads nothing from other origins and violates no rule of its own policy', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const context = await browser.newContext();
  const page = await context.newPage();
  const origin = new URL(test.info().project.use.baseURL ?? '').origin;
  const foreign: string[] = [];
  const refused: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) foreign.push(request.url());
  });
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) refused.push(message.text());
  });
  // Stricter than required of servers: not even style attributes in the page's source.
  await page.addInitScript(() => {
    const observer = new MutationObserver(() => {
      if (document.head === null) return;
      observer.disconnect();
      const policy = document.createElement('meta');
      policy.httpEquiv = 'Content-Security-Policy';
      policy.content = "style-src 'self'; script-src 'self'; font-src 'self'";
      document.head.prepend(policy);
    });
    observer.observe(document, { childList: true, subtree: true });
  });
  await register(page, uniqueName('anna'));
  await startWith(page, ben.name);
  await expect(page.locator('meta[http-equiv="Content-Security-Policy"]')).toHaveCount(1);
  await say(page, '![picture](https://example.org/spy.png) and `code`');
  await expect(messages(page).getByRole('link', { name: 'picture' })).toBeVisible();
  await page.getByRole('button', { name: 'Emoji' }).click();
  await expect(page.getByRole('textbox', { name: 'Search emoji' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'grinning face', exact: true })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('combobox')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox')).toBeHidden();
  expect(foreign).toEqual([]);
  expect(refused).toEqual([]);
});
