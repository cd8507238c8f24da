/** People with browsers of their own, and what every flow begins with. */
import { type Browser, type BrowserContextOptions, expect, type Page } from '@playwright/test';

export const PASSWORD = 'a long enough secret';

/** Names are used once for each run, because the server keeps its accounts. */
export function uniqueName(base: string): string {
  return `${base}${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;
}

export interface Person {
  name: string;
  page: Page;
}

/** Opens a browser context of its own and creates an account through the page. */
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
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByRole('list', { name: 'Conversations' })).toBeAttached();
  await expectConnected(page);
}

export async function expectConnected(page: Page): Promise<void> {
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Connected');
}

/** Starts a direct conversation, or a group with several names. */
export async function startWith(page: Page, ...names: string[]): Promise<void> {
  await page.getByRole('button', { name: 'New conversation' }).click();
  for (const name of names) {
    await page.getByRole('textbox', { name: 'Find people' }).fill(name);
    await page.getByRole('option', { name }).click();
  }
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

export function messages(page: Page) {
  return page.getByRole('feed', { name: 'Messages' });
}

export async function open(page: Page, title: string): Promise<void> {
  await page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: title }).click();
}
