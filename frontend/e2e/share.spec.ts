/** Receiving shared text from other applications: it goes where the user chooses, and is never sent by itself. */
import { expect, type Page } from '@playwright/test';
import { expectKept } from './device';
import { messages, PASSWORD } from './people';
import { faults, listen } from './reader';
import { type Account, Seeder } from './seed';
import { test } from './test';

const HOSTILE = '<img src=x onerror="document.title=\'hurt\'"><script>document.title="hurt"</script>';
const PLACES = 'Find people and conversations';

/** Signs in on a page that keeps its address. */
async function enter(page: Page, who: Account): Promise<void> {
  await page.getByRole('textbox', { name: 'Username' }).fill(who.name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Waits until the service worker controls the page. */
function controlled(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const { serviceWorker } = navigator;
    if (serviceWorker.controller !== null) return;
    await new Promise((resolve) => serviceWorker.addEventListener('controllerchange', resolve));
  });
}

/** What the system does when the user chooses this application to share with. */
async function share(page: Page, fields: Record<string, string>): Promise<void> {
  await controlled(page);
  await page.evaluate(async (values) => {
    const manifest = await (await fetch('./manifest.webmanifest')).json();
    const { action, method, enctype, params } = manifest.share_target;
    const form = document.createElement('form');
    Object.assign(form, { action, method, enctype });
    for (const [name, value] of Object.entries(values)) {
      const field = document.createElement('textarea');
      field.name = params[name];
      field.value = value;
      form.append(field);
    }
    document.body.append(form);
    setTimeout(() => form.submit());
  }, fields);
  await page.waitForURL(/#\/share$/);
}

test('the manifest declares the share target, and the server receives nothing of it', async ({ page }) => {
  await page.goto('./');
  const answer = await page.request.get('./manifest.webmanifest');
  const { share_target: target, scope } = await answer.json();
  expect(target.method).toBe('POST');
  expect(target.params).toEqual({ title: 'title', text: 'text', url: 'url' });
  const at = new URL(target.action, answer.url()).href;
  expect(at.startsWith(new URL(scope, answer.url()).href)).toBe(true);
  // It works without a network too, because it never leaves the device.
  await controlled(page);
  await page.context().setOffline(true);
  await share(page, { text: 'a secret' });
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
});

test('shared text becomes a draft in the chosen conversation', async ({ page, baseURL }) => {
  const seeder = new Seeder(baseURL ?? '');
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const room = await seeder.direct(ben, anna);
  await seeder.say(room, ben, 'hello');
  await page.goto('./');
  await enter(page, anna);
  await page.getByRole('link', { name: /^Ben Okafor/ }).click();
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill('Look:');
  await expectKept(page, 'drafts', 'Look:');

  await share(page, { title: HOSTILE, text: 'with a picture', url: 'https://example.org/' });
  const dialog = page.getByRole('dialog', { name: 'Send to…' });
  await expect(dialog).toContainText(HOSTILE);
  expect(faults(await listen(page)), 'announced by a screen reader').toEqual([]);
  // By the part of the name that only he has: the server also finds his other names.
  await dialog.getByRole('combobox', { name: PLACES }).fill(ben.name);
  await expect(dialog.getByRole('group', { name: 'Commands' })).toHaveCount(0);
  await dialog.getByRole('option', { name: /Ben Okafor/ }).click();
  await expect(box).toHaveValue(`Look:\n${HOSTILE}\nwith a picture\nhttps://example.org/`);
  await expect(page).toHaveTitle(/Chat$/);
  await expect(messages(page).getByRole('article')).toHaveCount(1);
  // Used once: it does not come back.
  await page.goto('./#/share');
  await expect(page).toHaveURL(/#\/$/);
  await expect(dialog).toHaveCount(0);

  // To a user without a conversation yet; and to no one.
  const cleo = await seeder.account('cleo', 'Cleo Adler');
  await share(page, { text: 'for Cleo' });
  await dialog.getByRole('combobox', { name: PLACES }).fill(cleo.name);
  await dialog.getByRole('option', { name: /Cleo Adler/ }).click();
  await expect(page.getByRole('heading', { name: 'Cleo Adler', level: 2 })).toBeVisible();
  await expect(box).toHaveValue('for Cleo');
  await share(page, { text: 'x'.repeat(20_000) });
  await expect(dialog).toContainText('xxx');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page).toHaveURL(/#\/$/);
});

test('text shared while signed out waits until a user signs in', async ({ page, baseURL }) => {
  const seeder = new Seeder(baseURL ?? '');
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  await seeder.say(await seeder.direct(ben, anna), ben, 'hello');
  await page.goto('./');
  await share(page, { text: 'kept for later' });
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await page.reload();
  await enter(page, anna);
  const dialog = page.getByRole('dialog', { name: 'Send to…' });
  await expect(dialog).toContainText('kept for later');
  await dialog.getByRole('option', { name: /Ben Okafor/ }).click();
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('kept for later');
  await expect(messages(page).getByRole('article')).toHaveCount(1);
});
