/** Finding users, conversations and messages; returning to messages; nicknames, pins and custom keys. */
import { expect } from '@playwright/test';
import { expectKept, expectKeptMessages } from './device';
import {
  expectConnected,
  expectInstalled,
  goOffline,
  goOnline,
  messages,
  newPerson,
  open,
  openMenu,
  openMenuOf,
  say,
  signIn,
  startWith,
  toLatest,
} from './people';
import { Seeder } from './seed';
import { test } from './test';

const FINDER = 'Find people, conversations, messages and commands';

test('a message is found offline and opened in its context, with pages on both sides', async ({
  page,
  baseURL,
}) => {
  const seeder = new Seeder(baseURL as string);
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const room = await seeder.direct(ben, anna);
  const other = await seeder.group(anna, 'Garden', [ben]);
  for (let n = 1; n <= 120; n += 1) {
    await seeder.say(room, ben, n === 20 ? 'The **wheelbarrow** stands behind the shed.' : `message ${n}`);
  }
  await seeder.say(other, ben, 'see you there');
  await signIn(page, anna.name);
  // All of it is stored on the device, and the searched message is not on the screen.
  await page.getByRole('link', { name: /^Ben Okafor/ }).click();
  await expect(messages(page).getByText('message 1', { exact: true })).toBeVisible();
  await toLatest(page);
  await expect(messages(page).getByText('message 120')).toBeVisible();
  await expectKeptMessages(page, room, 120);
  await page.getByRole('link', { name: /^Garden/ }).click();
  await expect(messages(page).getByText('see you there')).toBeVisible();
  await goOffline(page);

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: FINDER }).fill('wheelb');
  const found = page.getByRole('option', { name: /The wheelbarrow stands behind/ });
  await expect(found).toBeVisible();
  await found.click();
  const message = messages(page).getByText('wheelbarrow');
  await expect(message).toBeInViewport();
  await expect(messages(page).getByText('message 21', { exact: true })).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`#/c/${room}$`));

  // Commands and users too, without a network.
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: FINDER }).fill('garden');
  await expect(page.getByRole('option', { name: /^Garden/, selected: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(messages(page).getByText('see you there')).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: FINDER }).fill('keyboard sh');
  await expect(page.getByRole('option', { name: /^Keyboard shortcuts/, selected: true })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
});

test('unread from here: in the list, the title and the divider, after a reload, until the user reads on', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await say(page, 'hello');
  await open(ben.page, anna.name);
  for (const text of ['one', 'two', 'three']) await say(ben.page, text);
  await expect(messages(page).getByText('three')).toBeVisible();
  await expect(messages(ben.page).getByText('Read', { exact: true })).toHaveCount(3);

  await openMenu(page, 'two');
  await page.getByRole('menuitem', { name: 'Mark unread from here' }).click();
  const entry = page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: ben.name });
  await expect(entry).toContainText('2 unread');
  await expect(page).toHaveTitle(/^\(2\)/);
  await expect(messages(page).getByText('New messages')).toBeVisible();
  // It stays unread although it is visible.
  await page.waitForTimeout(500);
  await expect(entry).toContainText('2 unread');

  await expectKept(page, 'meta', '"count":2');
  await page.goto('./#/');
  await page.reload();
  await expect(entry).toContainText('2 unread');
  // Others see no change: the message is still read.
  await expect(messages(ben.page).getByText('Read', { exact: true })).toHaveCount(3);
  await entry.click();
  await expect(messages(page).getByText('New messages')).toBeVisible();
  await expect(entry).not.toContainText('unread');
  await expect(page).toHaveTitle('Chat');

  // By key as well, and removed by the next message that the user sends.
  await page.keyboard.press('Shift+ArrowUp');
  await expect(messages(page).getByRole('article').last()).toBeFocused();
  await page.keyboard.press('u');
  await expect(entry).toContainText('1 unread');
  await say(page, 'thank you');
  await expect(entry).not.toContainText('unread');
});

test('only visible messages count as read', async ({ page, baseURL }) => {
  const seeder = new Seeder(baseURL as string);
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const room = await seeder.direct(ben, anna);
  await seeder.say(room, ben, 'hello');
  await seeder.say(room, anna, 'hello yourself');
  for (let n = 1; n <= 40; n += 1) await seeder.say(room, ben, `line ${n}`);
  await signIn(page, anna.name);
  const entry = page.getByRole('link', { name: /^Ben Okafor/ });
  await expect(entry).toContainText('41 unread');
  await entry.click();
  await expect(messages(page).getByText('line 1', { exact: true })).toBeInViewport();
  await expect(entry).not.toContainText('41 unread');
  // About fifteen fit into the window, and no more are counted however long they are visible.
  await expect(entry).toContainText(/2\d unread/);
  await page.waitForTimeout(500);
  await expect(entry).toContainText(/2\d unread/);
  await toLatest(page);
  await expect(messages(page).getByText('line 40', { exact: true })).toBeInViewport();
  await expect(entry).not.toContainText('unread');
});

test('a nickname replaces the name everywhere, for this user alone', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Nickname' }).click();
  await page.getByRole('textbox', { name: `Your name for ${ben.name}` }).fill('The gardener');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'The gardener', level: 2 })).toBeVisible();
  await expect(
    page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: 'The gardener' }),
  ).toBeVisible();
  await expect(page.getByPlaceholder('Message The gardener')).toBeVisible();
  await expect(page.getByText(`@${ben.name}`)).toBeVisible();
  await say(page, 'hello');
  await expect(
    ben.page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: anna.name }),
  ).toBeVisible();
  await expectKept(page, 'meta', 'The gardener');
  await expectInstalled(page);
  await goOffline(page);
  await page.reload();
  await expect(page.getByRole('heading', { name: 'The gardener', level: 2 })).toBeVisible();
  await goOnline(page);
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: 'Nickname' }).click();
  await page.getByRole('textbox', { name: /Your name for/ }).fill('');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: ben.name, level: 2 })).toBeVisible();
});

test('a pinned message is marked for both users, listed, and links to its position', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'Gate code: 4711');
  for (let n = 0; n < 25; n += 1) await say(anna.page, `later ${n}\n\nand more`);
  // All of them before opening the menu, so that no later message moves the target.
  await expect(
    ben.page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: anna.name }),
  ).toContainText('26 unread');
  await open(ben.page, anna.name);
  await openMenu(ben.page, 'Gate code: 4711');
  await ben.page.getByRole('menuitem', { name: 'Pin for everyone' }).click();
  await expect(messages(ben.page).getByText('Pinned')).toHaveCount(1);
  const { page } = anna;
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: /Pinned messages/ }).click();
  const pinned = page.getByRole('list', { name: 'Pinned messages' }).getByRole('button');
  await expect(pinned).toContainText('Gate code: 4711');
  await pinned.click();
  await expect(messages(page).getByText('Gate code: 4711')).toBeInViewport();
  await openMenu(page, 'Gate code: 4711');
  await page.getByRole('menuitem', { name: 'Unpin' }).click();
  await expect(page.getByText('Nothing is pinned.')).toBeVisible();
  await expect(messages(ben.page).getByText('Pinned')).toHaveCount(0);
});

test('a new device lists what was pinned long ago, and what is unpinned elsewhere', async ({
  page,
  baseURL,
}) => {
  const seeder = new Seeder(baseURL as string);
  const anna = await seeder.account('anna');
  const ben = await seeder.account('ben');
  const room = await seeder.direct(ben, anna);
  const { id } = await seeder.say(room, ben, 'Gate code: 4711');
  await seeder.call(`/messages/${id}/pin`, 'PUT', undefined, ben.token);
  await seeder.fill(room, ben, 150);
  await seeder.readAll(room, anna);
  await signIn(page, anna.name);
  await page.goto(`./#/c/${room}`);
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: /Pinned messages/ }).click();
  const pinned = page.getByRole('list', { name: 'Pinned messages' }).getByRole('button');
  await expect(pinned).toHaveCount(1);
  await expect(pinned).toContainText('Gate code: 4711');
  await seeder.call(`/messages/${id}/pin`, 'DELETE', undefined, ben.token);
  await expect(page.getByText('Nothing is pinned.')).toBeVisible();
});

test('who has read a message, and since when', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await say(page, 'hello');
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  await openMenu(page, 'hello');
  await page.getByRole('menuitem', { name: 'Message info' }).click();
  const dialog = page.getByRole('dialog', { name: 'Message info' });
  await expect(dialog).toContainText(/Delivered, by \d\d:\d\d/);
  // While the dialog is open.
  await open(ben.page, anna.name);
  await expect(dialog).toContainText(/Read, by \d\d:\d\d/);
});

test('the chosen presence survives a reload and a lost connection', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const { page } = anna;
  await startWith(page, ben.name);
  await say(page, 'hello');
  await open(ben.page, anna.name);
  const choose = async (name: string) => {
    await openMenuOf(page, anna.name);
    await page.getByRole('menuitemradio', { name }).click();
  };
  const isChosen = async (name: string) => {
    await openMenuOf(page, anna.name);
    await expect(page.getByRole('menuitemradio', { name })).toBeChecked();
    await page.keyboard.press('Escape');
  };
  await choose('Do not disturb');
  await expect(ben.page.getByText('Do not disturb')).toBeVisible();
  await page.reload();
  await expectConnected(page);
  await isChosen('Do not disturb');
  await expect(ben.page.getByText('Do not disturb')).toBeVisible();

  await goOffline(page);
  await choose('Away');
  await goOnline(page);
  await expect(ben.page.getByText('Away', { exact: true })).toBeVisible();
  await isChosen('Away');
});

test('keys can be changed, keys in use are refused, and all can be reset', async ({ browser }) => {
  const { page } = await newPerson(browser, 'anna');
  const finder = page.getByRole('combobox', { name: FINDER });
  await page.keyboard.press('?');
  await page.getByRole('button', { name: 'Change keys' }).click();
  await page.getByRole('button', { name: 'Find anything: Ctrl+K' }).click();
  await page.keyboard.press('Alt+n');
  await expect(page.getByRole('alert')).toContainText('Already used for “New conversation”.');
  await page.keyboard.press('j');
  await expect(page.getByRole('alert')).toContainText('reserved');
  await page.keyboard.press('Control+j');
  await expect(page.getByRole('button', { name: 'Find anything: Ctrl+J' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.reload();
  await expectConnected(page);
  await page.keyboard.press('Control+k');
  // Keys are handled in order: what the next one opens comes after what this one would have opened.
  await page.keyboard.press('Control+/');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await expect(finder).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+j');
  await expect(finder).toBeVisible();
  // The switcher, the help and the menus show the new keys too.
  await page.keyboard.press('Escape');
  await expect(finder).toBeHidden();
  await page.keyboard.press('Control+/');
  await expect(page.getByRole('dialog')).toContainText(/Find anything\s*Ctrl\s*J/);
  await page.getByRole('button', { name: 'Change keys' }).click();
  await page.getByRole('button', { name: 'Reset all keys' }).click();
  await expect(page.getByRole('button', { name: 'Find anything: Ctrl+K' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('Control+k');
  await expect(finder).toBeVisible();
});
