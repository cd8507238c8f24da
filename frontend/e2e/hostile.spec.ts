/** A user sends everything that might break a page. The conversation, the list and everything else still work. */
import { expect, type Page } from '@playwright/test';
import { HOSTILE } from '../test/hostile';
import { leave, messages, newPerson, open, say, signIn, toLatest } from './people';
import { Seeder } from './seed';
import { test } from './test';

/** Stacked marks, a hundred characters without a space; the server rejects direction marks in names. */
const NAMES = {
  person: `Z${'\u0301\u0316'.repeat(40)}`,
  group: `drow${'W'.repeat(96)}`,
};

/** Measures how deep the elements of a message are nested, without recursion, which hostile texts could overflow. */
function deepest(page: Page): Promise<number> {
  return messages(page).evaluate((feed) => {
    let depth = 0;
    let level = [...feed.querySelectorAll('.prose')];
    while (level.length > 0) {
      depth += 1;
      level = level.flatMap((one) => [...one.children]);
    }
    return depth;
  });
}

test('no message of another user breaks the page', async ({ browser, baseURL }) => {
  const seeder = new Seeder(baseURL ?? '');
  const reader = await newPerson(browser, 'reader');
  const { page } = reader;
  const broken: string[] = [];
  page.on('pageerror', (error) => broken.push(error.message));
  const attacker = await seeder.account('attacker', NAMES.person);
  const found = await seeder.call<{ items: { id: string }[] }>(
    `/users?q=${reader.name}`,
    'GET',
    undefined,
    attacker.token,
  );
  const other = { id: found.items[0]?.id ?? '', name: reader.name, token: '' };
  const calm = await seeder.group(attacker, 'The calm one', [other]);
  await seeder.say(calm, attacker, 'all is well here');
  const room = await seeder.group(attacker, NAMES.group, [other]);
  await seeder.say(room, attacker, 'before all of it');
  let quoted = '';
  for (const [name, text] of Object.entries(HOSTILE)) {
    // The server rejects only invisible texts and half surrogate pairs.
    if (!/[^\s\p{C}\p{Default_Ignorable_Code_Point}]/u.test(text) || /\p{Surrogate}/u.test(text)) continue;
    const said = await seeder.say(room, attacker, text, quoted || undefined);
    quoted = name.startsWith('quotes, 2100') ? said.id : '';
  }
  await seeder.say(room, attacker, 'after all of it');

  await test.step('the list shows both, and switching between them works', async () => {
    await open(page, 'The calm one');
    await expect(messages(page).getByText('all is well here')).toBeVisible();
    await page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: /drow/ }).click();
    await expect(messages(page)).toHaveAttribute('aria-busy', 'false');
  });

  await test.step('messages before and after are shown, and replying works', async () => {
    await toLatest(page);
    await expect(messages(page).getByText('after all of it')).toBeVisible();
    await say(page, 'an answer');
    await expect(messages(page).getByText('an answer', { exact: true })).toBeVisible();
    await expect(messages(page).getByText('Sending')).toHaveCount(0);
  });

  await test.step('every one of them can be scrolled past', async () => {
    const feed = messages(page);
    await feed.focus();
    const first = feed.getByText('before all of it', { exact: true });
    await expect(async () => {
      for (let step = 0; step < 10; step += 1) {
        await feed.evaluate((one) => one.scrollBy({ top: -4 * one.clientHeight }));
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      }
      expect(await deepest(page)).toBeLessThan(40);
      await expect(first).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await expect(page.getByText("This message can't be shown.")).toHaveCount(0);
  });

  await test.step('a search, a reload and another conversation still work', async () => {
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox').fill('after all');
    await expect(page.getByRole('option', { name: /after all of it/ })).toBeVisible();
    await page.keyboard.press('Escape');
    await page.reload();
    await expect(messages(page).getByRole('article').first()).toBeVisible();
    await open(page, 'The calm one');
    await say(page, 'still here');
    await expect(messages(page).getByText('still here', { exact: true })).toBeVisible();
    await leave(page);
  });
  expect(broken).toEqual([]);
});

test('a device with invalid stored data still starts', async ({ browser }) => {
  const { page, name } = await newPerson(browser, 'nonsense');
  await page.evaluate(async () => {
    const [{ name: database = '' } = {}] = await indexedDB.databases();
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(database);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const id = 'f'.repeat(24);
    const put = (table: string, value: unknown) =>
      new Promise<void>((resolve, reject) => {
        const request = db.transaction(table, 'readwrite').objectStore(table).put(value);
        request.onsuccess = () => resolve();
        request.onerror = () => reject(request.error);
      });
    await put('conversations', { id, kind: 7, me: null, last_message: { text: [] } });
    await put('people', { id, username: { no: 'text' } });
    await put('outbox', { client_message_id: 'x', conversation_id: id, order: 'first' });
    await put('drafts', { conversation_id: id, text: { not: 'text' } });
    for (const key of ['me', 'contacts', 'unread_marks', 'untold_drafts', 'presence']) {
      await put('meta', { key, value: [[null], 'nonsense'] });
    }
    db.close();
  });
  await page.reload();
  await expect(page.getByRole('status', { name: 'Connection' })).toHaveText('Connected');
  await expect(page.getByRole('button', { name: 'New conversation' })).toBeVisible();
  await page.context().clearCookies();
  await page.evaluate(() => localStorage.clear());
  await signIn(page, name);
});
