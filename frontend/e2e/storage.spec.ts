/** Browsers without storage, and full disks: messages are still sent, and the page reports it. */
import { expect, type Page } from '@playwright/test';
import {
  expectConnected,
  expectOnceInOrder,
  goOffline,
  goOnline,
  messages,
  newPerson,
  open,
  register,
  say,
  startWith,
  uniqueName,
} from './people';
import { test } from './test';

test('without storage everything works until the page is closed, and the page reports it', async ({
  browser,
}) => {
  const ben = await newPerson(browser, 'ben');
  const context = await browser.newContext();
  const page = await context.newPage();
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  // As in private windows of some browsers.
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage'] as const) {
      Object.defineProperty(window, name, {
        get: () => {
          throw new DOMException('The operation is insecure.', 'SecurityError');
        },
      });
    }
  });
  await register(page, uniqueName('anna'));
  await expect(page.getByText('This browser stores no data')).toBeVisible();
  await startWith(page, ben.name);
  await say(page, 'from a private window');
  await expect(messages(page).getByText('Delivered')).toBeAttached();

  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill('a draft');
  await page.goBack();
  await expect(box).toBeHidden();
  await open(page, ben.name);
  await expect(box).toHaveValue('a draft');

  await goOffline(page);
  await say(page, 'written without a network');
  await expect(messages(page).getByText('Sending')).toBeAttached();
  await goOnline(page);
  await expect(messages(page).getByText('Delivered')).toHaveCount(2);
  await open(ben.page, 'anna');
  await expect(messages(ben.page).getByText('written without a network')).toHaveCount(1);
  expect(failures).toEqual([]);
});

/** Makes every write fail as on a full disk, until the page is reloaded. */
async function fillDisk(page: Page): Promise<void> {
  await page.evaluate(() => {
    const full = () => {
      throw new DOMException('There is no room.', 'QuotaExceededError');
    };
    IDBObjectStore.prototype.put = full;
    IDBObjectStore.prototype.add = full;
  });
}

test('on a full disk messages are sent and received, drafts stay, and the page reports it', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  const failures: string[] = [];
  page.on('pageerror', (error) => failures.push(error.message));
  await startWith(page, ben.name);
  await say(page, 'while there was room');
  await open(ben.page, anna.name);
  await expect(messages(page).getByText('Read', { exact: true })).toHaveCount(1);

  await fillDisk(page);
  await say(ben.page, `does not fit ${'x'.repeat(9_000)}`);
  await expect(messages(page).getByText('does not fit')).toBeVisible();
  await expect(page.getByText('Device storage is full')).toBeVisible();

  await goOffline(page);
  for (const text of ['one', 'two', 'three']) await say(page, `written on a full disk ${text}`);
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill('a draft on a full disk');
  await goOnline(page);
  await expect(messages(page).getByText('Sending')).toHaveCount(0);
  await expect(messages(ben.page).getByText('written on a full disk three')).toBeVisible();
  await expect(box).toHaveValue('a draft on a full disk');
  await expectOnceInOrder(page, ben.page, [
    'written on a full disk one',
    'written on a full disk two',
    'written on a full disk three',
  ]);

  // With free space again nothing is missing: what did not fit is fetched.
  await page.reload();
  await expectConnected(page);
  await expect(messages(page).getByText('does not fit')).toHaveCount(1);
  await expect(messages(page).getByText('written on a full disk three')).toHaveCount(1);
  expect(failures).toEqual([]);
});
