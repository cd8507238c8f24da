/** One user with two devices: a change on one device shows on the other. */
import { type Browser, expect, type Page } from '@playwright/test';
import { expectKept } from './device';
import { expectInstalled, goOffline, goOnline, leave, messages, say, signIn } from './people';
import { type Account, Seeder } from './seed';
import { test } from './test';

interface Scene {
  seeder: Seeder;
  anna: Account;
  ben: Account;
  room: string;
  /** Both belong to Anna. */
  laptop: Page;
  phone: Page;
}

async function scene(browser: Browser, baseURL: string | undefined, lines: number): Promise<Scene> {
  const seeder = new Seeder(baseURL ?? '');
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const room = await seeder.direct(ben, anna);
  for (let n = 1; n <= lines; n += 1) await seeder.say(room, ben, `line ${n}`);
  const device = async () => {
    const context = await browser.newContext({ permissions: ['notifications'] });
    const page = await context.newPage();
    await signIn(page, anna.name);
    return page;
  };
  return { seeder, anna, ben, room, laptop: await device(), phone: await device() };
}

/** Holds requests of this kind until they are released. */
async function held(page: Page, url: string): Promise<{ release: () => void }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(url, async (route) => {
    await released;
    await route.continue();
  });
  return { release };
}

const entry = (page: Page) => page.getByRole('link', { name: /^Ben Okafor/ });
const box = (page: Page) => page.getByRole('textbox', { name: 'Message' });

test('a draft continues on another device, and never replaces what the user is typing', async ({
  browser,
  baseURL,
}) => {
  const { laptop, phone, room } = await scene(browser, baseURL, 1);
  for (const page of [laptop, phone]) {
    await entry(page).click();
    await expect(messages(page).getByText('line 1')).toBeVisible();
  }
  await box(laptop).fill('Begun on the laptop');
  await expect(box(phone)).toHaveValue('Begun on the laptop');
  await box(phone).fill('Begun on the laptop, ended on the phone');
  await expect(box(laptop)).toHaveValue('Begun on the laptop, ended on the phone');

  // Both type at once: each keeps its own text until the later one stops. The phone types until the server has the
  // laptop's text, and the server receives the phone's text only after that.
  const hold = await held(phone, `**/conversations/${room}/me`);
  let told = false;
  const telling = laptop
    .waitForResponse((answer) => answer.request().postData()?.includes('laptop') === true, { timeout: 0 })
    .finally(() => {
      told = true;
    });
  await box(laptop).fill('laptop');
  let written = 'phone';
  do {
    written += ' and on';
    await box(phone).fill(written);
  } while (!told);
  await telling;
  await expect(entry(laptop)).toContainText('Draft: laptop');
  await expect(box(laptop)).toHaveValue('laptop');
  await expect(box(phone)).toHaveValue(written);
  hold.release();
  await expect(box(laptop)).toHaveValue(written);

  // Without a connection nothing is lost; it arrives later.
  await expectInstalled(laptop);
  await goOffline(laptop);
  await box(laptop).fill('written on the train');
  await expect(entry(laptop)).toContainText('Draft: written on the train');
  await expectKept(laptop, 'drafts', 'written on the train');
  await laptop.reload();
  await expect(box(laptop)).toHaveValue('written on the train');
  await goOnline(laptop);
  await expect(box(phone)).toHaveValue('written on the train');
  await say(phone, 'written on the train');
  await expect(box(laptop)).toHaveValue('');
  await expect(messages(laptop).getByText('written on the train')).toHaveCount(1);
});

test('marked as unread on one device is unread on the other, until it is read again on either', async ({
  browser,
  baseURL,
}) => {
  const { laptop, phone, seeder, ben, room } = await scene(browser, baseURL, 3);
  await entry(laptop).click();
  await expect(entry(phone)).not.toContainText('unread');
  const line = messages(laptop).getByRole('article').filter({ hasText: 'line 2' });
  await line.focus();
  await laptop.keyboard.press('u');
  for (const page of [laptop, phone]) await expect(entry(page)).toContainText('2 unread');
  await expect.poll(() => phone.title()).toBe('(2) Chat');
  // After a reload of the other device, too.
  await phone.reload();
  await expect(entry(phone)).toContainText('2 unread');
  await entry(phone).click();
  await expect(messages(phone).getByText('New messages')).toBeVisible();
  for (const page of [phone, laptop]) await expect(entry(page)).not.toContainText('unread');
  await expect.poll(() => laptop.title()).toBe('Chat');

  // Marked without a connection, sent later.
  await leave(phone);
  await goOffline(laptop);
  await line.focus();
  await laptop.keyboard.press('u');
  await expect(entry(laptop)).toContainText('2 unread');
  await expect(entry(phone)).not.toContainText('unread');
  await goOnline(laptop);
  await expect(entry(phone)).toContainText('2 unread');
  // New messages count as well, and replying from the other device reads them all.
  await seeder.say(room, ben, 'line 4');
  await expect(entry(phone)).toContainText('3 unread');
  await entry(phone).click();
  for (const page of [phone, laptop]) await expect(entry(page)).not.toContainText('unread');
});

test('a notification disappears on all devices when the message is read on one', async ({
  browser,
  baseURL,
}) => {
  const { laptop, phone, seeder, ben, room } = await scene(browser, baseURL, 1);
  await entry(phone).click();
  await expect(entry(phone)).not.toContainText('unread');
  await leave(phone);
  await laptop.keyboard.press('Control+,');
  await laptop.getByRole('button', { name: 'Appearance', exact: true }).click();
  const notifications = laptop.getByRole('switch', { name: 'Desktop notifications' });
  await notifications.click();
  // First the browser's permission.
  await expect(notifications).toBeChecked();
  await laptop.keyboard.press('Escape');
  await laptop.evaluate(async () => {
    await navigator.serviceWorker.ready;
    // As if another window covered it.
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
    // Chromium loses a notification when the list of notifications is requested while it is being shown.
    const { showNotification } = ServiceWorkerRegistration.prototype;
    ServiceWorkerRegistration.prototype.showNotification = async function (...what) {
      await showNotification.apply(this, what);
      document.documentElement.dataset.shown = what[1]?.body;
    };
  });
  const wasShown = (body: string) =>
    expect(laptop.locator('html')).toHaveAttribute('data-shown', body, { timeout: 60_000 });
  const shown = () =>
    laptop.evaluate(async () =>
      (await (await navigator.serviceWorker.ready).getNotifications()).map(
        (one) => `${one.title}: ${one.body}`,
      ),
    );
  await seeder.say(room, ben, 'are you coming?');
  await wasShown('are you coming?');
  await expect.poll(shown).toEqual(['Ben Okafor: are you coming?']);
  await expect.poll(() => laptop.title()).toBe('(1) Chat');
  await entry(phone).click();
  await expect(messages(phone).getByText('are you coming?')).toBeVisible();
  await expect.poll(shown).toEqual([]);
  await expect.poll(() => laptop.title()).toBe('Chat');

  // A notification from an earlier visit is removed when the page learns that it was read meanwhile.
  await leave(phone);
  await seeder.say(room, ben, 'hello?');
  await wasShown('hello?');
  await expect.poll(shown).toEqual(['Ben Okafor: hello?']);
  const later = await laptop.context().newPage();
  await laptop.close();
  await entry(phone).click();
  await expect(messages(phone).getByText('hello?')).toBeVisible();
  await later.goto('./');
  await expect(entry(later)).not.toContainText('unread');
  await expect
    .poll(() =>
      later.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).length),
    )
    .toBe(0);
});
