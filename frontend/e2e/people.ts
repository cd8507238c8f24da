/** Users with their own browsers, and the first steps of every flow. */
import { type Browser, type BrowserContextOptions, expect, type Locator, type Page } from '@playwright/test';

export const PASSWORD = 'a long enough secret';

/** Names are used once for each run, because the server keeps its accounts. */
export function uniqueName(base: string): string {
  return `${base}${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
}

export interface Person {
  name: string;
  page: Page;
}

/** Opens a new browser context and creates an account through the page. */
export async function newPerson(
  browser: Browser,
  base: string,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const name = uniqueName(base);
  await register(page, name);
  return { name, page };
}

export async function register(page: Page, name: string): Promise<void> {
  await page.goto('./');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('textbox', { name: 'Username' }).fill(name);
  await page.getByRole('textbox', { name: 'Email' }).fill(`${name}@example.org`);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('list', { name: 'Conversations' })).toBeAttached();
  await expectConnected(page);
}

/** Signs in through the page. */
export async function signIn(page: Page, name: string): Promise<void> {
  await page.goto('./');
  await page.getByRole('textbox', { name: 'Username' }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectConnected(page);
}

export async function expectConnected(page: Page): Promise<void> {
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Connected');
}

/** Disconnects the network, and waits until the page has noticed. */
export async function goOffline(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await expect(page.getByRole('status', { name: 'Connection' })).toContainText('Offline');
}

/** Waits until the device has cached the page, which cannot be loaded without a network before. */
export async function expectInstalled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

export async function goOnline(page: Page): Promise<void> {
  await page.context().setOffline(false);
  await expectConnected(page);
}

/** Starts a direct conversation, or a group with several names. */
export async function startWith(page: Page, ...names: string[]): Promise<void> {
  await page.getByRole('button', { name: 'New conversation' }).click();
  for (const name of names) {
    await page.getByRole('textbox', { name: 'Find people' }).fill(name);
    await page.getByRole('option', { name }).click();
  }
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  // Until then the page may still show another conversation with its own message box.
  for (const name of names) await expectOpen(page, name);
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

export function messages(page: Page) {
  return page.getByRole('feed', { name: 'Messages' });
}

/** Clicks an entry of the list, and waits until that conversation is shown. */
export async function open(page: Page, title: string | RegExp): Promise<void> {
  // An entry starts with its title and continues with the last message, which another user of that name may have sent.
  const name = typeof title === 'string' ? new RegExp(`^${title}`) : title;
  await page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name }).click();
  await expectOpen(page, title);
}

async function expectOpen(page: Page, title: string | RegExp): Promise<void> {
  await expect(page.getByRole('main').getByRole('heading', { name: title, level: 2 })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
}

/** The last message with exactly this text. */
export function messageOf(page: Page, text: string): Locator {
  const said = page.getByText(text, { exact: true });
  return messages(page).getByRole('article').filter({ has: said }).last();
}

/** Hovers over the message with exactly this text, and returns it when its tools are visible. */
export async function pointAt(page: Page, text: string): Promise<Locator> {
  const message = messageOf(page, text);
  await expect(async () => {
    // A resting mouse does not hover: the list may just have moved below it.
    await page.mouse.move(0, 0);
    await message.getByText(text, { exact: true }).last().hover();
    await expect(message.getByRole('toolbar')).toBeVisible({ timeout: 5_000 });
  }).toPass();
  return message;
}

/** Opens the menu of the message with exactly this text. */
export async function openMenu(page: Page, text: string): Promise<void> {
  const more = (await pointAt(page, text)).getByRole('button', { name: 'More' });
  await expect(more).toHaveAttribute('aria-haspopup', 'menu');
  await more.click();
  await expect(page.getByRole('menu')).toBeVisible();
}

/** Presses a button that has a menu, once its menu is loaded, which is a moment after the page. */
export async function openMenuOf(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true });
  await expect(button).toHaveAttribute('aria-haspopup', 'menu');
  await button.click();
  await expect(page.getByRole('menu')).toBeVisible();
}

/** Leaves the open conversation, so that nothing in it is read any more. */
export async function leave(page: Page): Promise<void> {
  await page.goto('./#/');
  await expect(messages(page)).toHaveCount(0);
}

/** The button that jumps to the end of a conversation; shown only while there is something below. */
export function latestButton(page: Page) {
  return page.getByRole('button', { name: /Jump to the latest|\d\+? new messages?$/ });
}

/** Waits until the open conversation is at its end. */
export async function expectAtEnd(page: Page): Promise<void> {
  const feed = messages(page);
  await expect(feed).toHaveAttribute('aria-busy', 'false');
  await expect(feed.getByRole('article').last()).toBeInViewport();
  await expect(latestButton(page)).toBeHidden();
  const left = () => feed.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight);
  await expect.poll(left).toBeLessThanOrEqual(1);
}

/** Scrolls from the opening position of a conversation to its end. */
export async function toLatest(page: Page): Promise<void> {
  await expect(messages(page)).toHaveAttribute('aria-busy', 'false');
  await latestButton(page).click();
  await expectAtEnd(page);
}

/**
 * Checks that each of `texts` was received once and in this order. One more message of the same sender proves that
 * nothing else is in flight: one connection receives a conversation in order.
 */
export async function expectOnceInOrder(from: Page, at: Page, texts: readonly string[]): Promise<void> {
  const last = uniqueName('that was all ');
  await say(from, last);
  await expect(messages(from).getByText('Sending')).toHaveCount(0);
  await expect(messages(at).getByText(last)).toBeVisible();
  const seen = (await messages(at).getByRole('article').allInnerTexts()).join('\n').split('\n');
  expect(seen.filter((line) => texts.includes(line))).toEqual(texts);
}
