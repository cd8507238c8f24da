import { expect, type Page } from '@playwright/test';
import { expectKept } from './device';
import {
  expectConnected,
  expectOnceInOrder,
  goOffline,
  goOnline,
  messages,
  newPerson,
  open,
  say,
  startWith,
} from './people';
import { test } from './test';

test('two users chat and see the delivery state of their messages', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  const online = (page: Page) => page.getByRole('main').getByText('Online', { exact: true });
  await expect(online(anna.page)).toBeVisible();
  await say(anna.page, 'Hello Ben');
  await expect(messages(anna.page).getByText('Hello Ben')).toBeVisible();
  await expect(messages(anna.page).getByText('Delivered')).toBeAttached();

  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('Hello Ben')).toBeVisible();
  await expect(online(ben.page)).toBeVisible();
  await expect(messages(anna.page).getByText('Read', { exact: true })).toBeAttached();
  await say(ben.page, 'Hello Anna');
  await expect(messages(anna.page).getByText('Hello Anna')).toBeVisible();
});

test('messages written offline arrive once, in order', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'before');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('before')).toBeVisible();

  await goOffline(anna.page);
  for (const text of ['first', 'second', 'third']) await say(anna.page, text);
  await expect(messages(anna.page).getByText('Sending')).toHaveCount(3);
  await say(ben.page, 'are you there?');

  await goOnline(anna.page);
  await expect(messages(anna.page).getByText('Sending')).toHaveCount(0);
  await expect(messages(anna.page).getByText('are you there?')).toBeVisible();
  await expectOnceInOrder(anna.page, ben.page, ['first', 'second', 'third']);
});

test('a reload while sending neither loses nor duplicates a message', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await goOffline(anna.page);
  await say(anna.page, 'survivor');
  await expect(messages(anna.page).getByText('Sending')).toHaveCount(1);
  await expectKept(anna.page, 'outbox', 'survivor');
  await anna.page.context().setOffline(false);
  await anna.page.reload();
  await expectConnected(anna.page);
  await expect(messages(anna.page).getByText('survivor')).toHaveCount(1);
  await expect(messages(anna.page).getByText('Sending')).toHaveCount(0);
  await open(ben.page, anna.name);
  await expectOnceInOrder(anna.page, ben.page, ['survivor']);
});
