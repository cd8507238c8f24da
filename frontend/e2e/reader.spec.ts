/** What a screen reader announces, read from Chromium's accessibility tree. */
import { type Browser, expect, type Locator, type Page } from '@playwright/test';
import {
  expectConnected,
  messages,
  newPerson,
  open,
  openMenu,
  openMenuOf,
  type Person,
  say,
  startWith,
} from './people';
import { all, faults, listen, only, overhear, readOut, said } from './reader';
import { SETTINGS } from './settled';
import { test } from './test';

const TIME = /\d\d:\d\d/g;
const FINDER = 'Find people, conversations, messages and commands';

async function pair(browser: Browser): Promise<{ anna: Person; ben: Person }> {
  const ben = await newPerson(browser, 'ben');
  const anna = await newPerson(browser, 'anna');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'Good morning');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('Good morning')).toBeVisible();
  await expect(messages(anna.page).getByText('Read', { exact: true })).toBeAttached();
  return { anna, ben };
}

/** Each message as it is announced on focus. */
async function spoken(page: Page): Promise<string[]> {
  const articles = all(only(await listen(page), 'feed', 'Messages'), 'article');
  return articles.map((one) => said(one).replace(TIME, '<time>'));
}

async function choose(page: Page, text: string, item: string): Promise<void> {
  await openMenu(page, text);
  await page.getByRole('menuitem', { name: item }).click();
}

test('a message is author and text first, then the quote, time and state, and reactions', async ({
  browser,
}) => {
  const { anna, ben } = await pair(browser);
  await say(ben.page, 'Hello **Anna**');
  await say(ben.page, `Is @${anna.name} there?`);
  await expect(messages(anna.page).getByText('there?')).toBeVisible();
  const greeting = messages(anna.page).getByRole('article', { name: /Hello Anna$/ });
  await greeting.getByText('Hello').click();
  await greeting.getByRole('button', { name: 'Add reaction 👍' }).click();
  await greeting.getByRole('button', { name: 'Reply', exact: true }).click();
  await say(anna.page, 'Yes');
  await say(anna.page, 'a mistake');
  await say(anna.page, 'not meant for you');
  await expect(messages(anna.page).getByText('Read', { exact: true })).toHaveCount(4);
  await choose(anna.page, 'a mistake', 'Edit');
  await anna.page.getByRole('textbox', { name: 'Message' }).fill('put right');
  await anna.page.keyboard.press('Enter');
  await expect(messages(anna.page).getByText('edited')).toBeVisible();
  await choose(anna.page, 'not meant for you', 'Delete');
  await anna.page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(messages(anna.page).getByText('This message was deleted')).toBeVisible();
  await choose(anna.page, 'Good morning', 'Pin for everyone');
  await expect(messages(anna.page).getByText('Pinned')).toBeAttached();

  await expect
    .poll(() => spoken(anna.page))
    .toEqual([
      'You Good morning, article, Pinned <time> Read',
      `${ben.name} Hello Anna, article, <time> 👍 1`,
      `${ben.name} Is @${anna.name} there?, article, <time>`,
      `You Yes, article, In reply to ${ben.name} Hello Anna <time> Read`,
      'You put right, article, edited <time> Read',
      'You This message was deleted, article, <time>',
    ]);
  // The position of each, for "message 3": the number never changes, however much is loaded.
  const places = await messages(anna.page)
    .getByRole('article')
    .evaluateAll((found) => found.map((one) => [one.ariaPosInSet, one.ariaSetSize]));
  expect(places).toEqual(['1', '2', '3', '4', '5', '6'].map((place) => [place, '-1']));

  // In continuous reading: the author as a heading, no repetition, and each control by its name.
  const told = readOut(only(await listen(anna.page), 'article', /Hello Anna$/));
  expect(told.map((line) => line.replace(TIME, '<time>'))).toEqual([
    `heading 3: ${ben.name}`,
    'Hello',
    'Anna',
    '<time>',
    '👍 1, button, pressed, You',
  ]);
  const answer = readOut(only(await listen(anna.page), 'article', 'You Yes'));
  expect(answer[1]).toBe(`In reply to ${ben.name} Hello **Anna**, button`.replaceAll('**', ''));
});

test('the list announces name, message and unread count first, and the time last', async ({ browser }) => {
  const { anna, ben } = await pair(browser);
  const cleo = await newPerson(browser, 'cleo');
  await startWith(anna.page, cleo.name);
  await say(ben.page, 'First');
  await say(ben.page, 'Second');
  const list = anna.page.getByRole('list', { name: 'Conversations' });
  await expect(list.getByText('2 unread')).toBeAttached();
  const links = () =>
    listen(anna.page).then((page) =>
      all(only(page, 'list', 'Conversations'), 'link').map((one) => one.name.replace(TIME, '<time>')),
    );
  await expect
    .poll(links)
    .toEqual([`${ben.name} Second 2 unread <time>`, `${cleo.name} No messages yet <time>`]);
  await open(anna.page, ben.name);
  await expect(list.getByText('2 unread')).toHaveCount(0);
  await say(anna.page, 'Third');
  await expect(messages(ben.page).getByText('Third')).toBeVisible();
  await expect.poll(async () => (await links())[0]).toBe(`${ben.name} Third Read <time>`);
});

test('every screen has landmarks, ordered headings, and a name for everything', async ({ browser }) => {
  const guest = await (await browser.newContext()).newPage();
  /** Checks the page once `shown` is visible. */
  const sound = async (page: Page, where: string, shown: Locator) => {
    await expect(shown, where).toBeVisible();
    await expect.poll(async () => faults(await listen(page)), where).toEqual([]);
  };
  const email = guest.getByRole('textbox', { name: 'Email' });
  const signIn = guest.getByRole('button', { name: 'Sign in' });
  await guest.goto('./');
  await sound(guest, 'sign in', signIn);
  await guest.getByRole('button', { name: 'Create account' }).click();
  await sound(guest, 'register', email);
  await guest.context().close();

  const { anna, ben } = await pair(browser);
  const cleo = await newPerson(browser, 'cleo');
  const { page } = anna;
  await say(
    ben.page,
    'A list:\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint("hello")\n```',
  );
  await expect(messages(page).getByText('print')).toBeVisible();
  const tree = await listen(page);
  for (const role of ['main', 'navigation', 'feed', 'status']) expect(all(tree, role), role).toHaveLength(1);
  expect(readOut(only(tree, 'status', 'Connection'))).toEqual(['status: Connection', 'Connected']);
  expect(
    all(tree, 'heading')
      .slice(0, 3)
      .map((one) => [one.level, one.name]),
  ).toEqual([
    [1, 'Chat'],
    [2, ben.name],
    [3, 'You'],
  ]);
  const dialog = page.getByRole('dialog');
  const closed = async () => {
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  };
  await sound(page, 'conversation', messages(page));
  await openMenu(page, 'Good morning');
  await sound(page, 'message menu', page.getByRole('menu'));
  await page.getByRole('menuitem', { name: 'Message info' }).click();
  await sound(page, 'who has read it', dialog.getByText(/^Read, by/));
  await closed();
  await choose(page, 'Good morning', 'Delete');
  await sound(page, 'deleting', dialog);
  await closed();
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await page.getByRole('button', { name: /Pinned messages/ }).click();
  await sound(page, 'details', page.getByText('Nothing is pinned.'));
  await page.getByRole('button', { name: 'Jump to a date' }).click();
  await sound(page, 'jump to a date', page.getByRole('dialog', { name: 'Jump to a date' }));
  await closed();
  await page.getByRole('button', { name: 'Close details' }).click();
  await startWith(page, ben.name, cleo.name);
  await page.getByRole('button', { name: 'Details', exact: true }).click();
  await sound(page, 'details of a group', page.getByRole('button', { name: 'Leave group' }));
  await page.getByRole('button', { name: 'Close details' }).click();
  await page.keyboard.press('Control+/');
  await sound(page, 'shortcuts', dialog);
  await closed();
  await page.keyboard.press('Alt+n');
  await page.getByRole('textbox', { name: 'Find people' }).fill(ben.name);
  await sound(page, 'new conversation', page.getByRole('option', { name: ben.name }));
  await closed();
  await openMenuOf(page, anna.name);
  await sound(page, 'account menu', page.getByRole('menu'));
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  for (const [part, shown] of SETTINGS) {
    await page.getByRole('button', { name: part, exact: true }).click();
    await sound(page, `settings: ${part}`, dialog.getByText(shown).first());
  }
});

test('new messages are announced once, according to the setting', async ({ browser }) => {
  const { anna, ben } = await pair(browser);
  const cleo = await newPerson(browser, 'cleo');
  await startWith(cleo.page, anna.name);
  const overheard = await overhear(anna.page);
  const fresh = async () => (await overheard()).filter((line) => !old.includes(line));
  let old: string[] = [];

  await say(ben.page, 'Hello **there**');
  await expect.poll(fresh).toEqual([`${ben.name}: Hello there`]);
  await say(ben.page, 'Hello **there**');
  // The same text again is announced again.
  await expect.poll(overheard).toHaveLength(2);
  old = await overheard();
  await say(anna.page, 'One of my own');
  await say(cleo.page, 'In another conversation');
  await expect(anna.page.getByRole('link', { name: /In another conversation/ })).toBeVisible();
  await anna.page.waitForTimeout(700);
  expect(await fresh(), 'own messages, and those of other conversations').toEqual([]);

  const setAnnounce = async (choice: string) => {
    await anna.page.keyboard.press('Control+,');
    await anna.page.getByRole('button', { name: 'Appearance', exact: true }).click();
    await anna.page.getByRole('radio', { name: choice, exact: true }).last().check({ force: true });
    await anna.page.keyboard.press('Escape');
    old = await overheard();
  };
  await setAnnounce('Mentions and replies');
  await say(ben.page, 'Nothing for her');
  await say(ben.page, `But @${anna.name} hears this`);
  await expect.poll(fresh).toEqual([`${ben.name}: But @${anna.name} hears this`]);
  await setAnnounce('None');
  await say(ben.page, `And @${anna.name} does not hear this`);
  await expect(messages(anna.page).getByText('does not hear this')).toBeVisible();
  await anna.page.waitForTimeout(700);
  expect(await fresh()).toEqual([]);

  await anna.page.context().setOffline(true);
  await expect.poll(async () => (await fresh()).at(-1)).toContain('Offline');
  await anna.page.context().setOffline(false);
  await expect.poll(async () => (await fresh()).at(-1)).toBe('Connected');
});

test('simultaneous messages are announced together, and removed afterwards', async ({ browser }) => {
  const { anna, ben } = await pair(browser);
  const { page } = anna;
  // Between the server and the page: while closed it holds frames, then delivers them together.
  const gate = { closed: false, waiting: [] as (() => void)[] };
  await page.routeWebSocket(/\/ws$/, (socket) => {
    socket.connectToServer().onMessage((frame) => {
      if (gate.closed) gate.waiting.push(() => socket.send(frame));
      else socket.send(frame);
    });
  });
  await page.reload();
  await expectConnected(page);
  await expect(messages(page).getByText('Good morning')).toBeVisible();
  const overheard = await overhear(page);
  gate.closed = true;
  for (let n = 1; n <= 8; n += 1) await say(ben.page, `Nr ${n}`);
  await expect.poll(() => gate.waiting.length).toBeGreaterThanOrEqual(8);
  await expect(messages(ben.page).getByText('Sending')).toHaveCount(0);
  gate.closed = false;
  for (const pass of gate.waiting) pass();
  await expect.poll(async () => (await overheard()).at(-1)).toContain(`${ben.name}: Nr 8`);
  const flood = await overheard();
  expect(flood.length, flood.join(' | ')).toBeLessThan(8);
  // Announced text does not stay at the end of the page.
  await expect
    .poll(async () => readOut(await listen(page)).filter((line) => line.includes(': Nr 8')))
    .toEqual([]);
});

test('a dialog has a name, takes the focus and restores it', async ({ browser }) => {
  const { anna } = await pair(browser);
  const { page } = anna;
  const focused = () =>
    page.evaluate(() => {
      const one = document.activeElement;
      return one?.getAttribute('aria-label') ?? one?.getAttribute('title') ?? one?.textContent ?? '';
    });
  const button = page.getByRole('button', { name: 'New conversation' });
  await button.press('Enter');
  await expect(page.getByRole('dialog', { name: 'New conversation' })).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Find people' })).toBeFocused();
  const told = async () => all(await listen(page)).map((one) => one.role);
  await expect.poll(told, 'content behind the dialog is not announced').not.toContain('feed');
  await page.keyboard.press('Escape');
  await expect(button).toBeFocused();

  const account = page.getByRole('button', { name: anna.name, exact: true });
  await expect(account).toHaveAttribute('aria-haspopup', 'menu');
  for (const turn of ['at first', 'and again']) {
    await account.press('Enter');
    await page.getByRole('menuitem', { name: 'Settings' }).press('Enter');
    await expect(page.getByRole('dialog', { name: 'Settings' })).toBeVisible();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.closest('dialog') !== null))
      .toBe(true);
    await page.keyboard.press('Escape');
    await expect(account, `from a menu, ${turn}`).toBeFocused();
  }
  await page.getByRole('textbox', { name: 'Message' }).press('Shift+ArrowUp');
  const message = messages(page).getByRole('article').last();
  await expect(message).toBeFocused();
  await page.keyboard.press('Delete');
  await expect(page.getByRole('dialog', { name: 'Delete this message?' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(message, 'from a message by key').toBeFocused();
  await page.keyboard.press('Enter');
  await expect(message.getByRole('button', { name: 'More' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Delete' }).press('Enter');
  await expect(page.getByRole('dialog', { name: 'Delete this message?' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect.poll(focused, 'from a menu of a message').toBe('More');
});

test('the switcher announces its active option, and the emoji picker is one Tab stop', async ({
  browser,
}) => {
  const { anna, ben } = await pair(browser);
  const { page } = anna;
  const box = page.getByRole('textbox', { name: 'Message' });
  await page.keyboard.press('Control+k');
  const finder = page.getByRole('combobox', { name: FINDER });
  await expect(finder).toBeFocused();
  await finder.fill(ben.name);
  await expect(page.getByRole('option', { name: ben.name }).first()).toBeVisible();
  const active = () =>
    page.evaluate(() => {
      const owner = document.activeElement;
      const list = document.getElementById(owner?.getAttribute('aria-controls') ?? '');
      const option = document.getElementById(owner?.getAttribute('aria-activedescendant') ?? '');
      const inside = list?.contains(option) === true && option?.role === 'option';
      return inside ? `${option?.ariaSelected}: ${option?.textContent}` : 'lost';
    });
  await expect.poll(active).toMatch(/^true: /);
  await expect.poll(active).toContain(ben.name);
  await expect.poll(async () => faults(await listen(page)), 'switcher').toEqual([]);
  const chosen = async () =>
    all(await listen(page), 'option').filter((one) => one.states.includes('selected'));
  await expect.poll(chosen).toHaveLength(1);
  await finder.fill('key');
  await expect.poll(active).toContain('true: Keyboard shortcuts');
  await expect(page.getByRole('dialog').getByRole('status')).toHaveText(/^\d+ results?$/);
  await finder.fill('nothing is called this');
  await expect(page.getByRole('dialog').getByRole('status')).toHaveText('No results');
  await expect(finder).toHaveAttribute('aria-expanded', 'false');
  await finder.fill('');
  await page.keyboard.press('Tab');
  await expect(finder, 'no other Tab stop').toBeFocused();
  await page.keyboard.press('Escape');
  await expect(box).toBeFocused();

  const emoji = page.getByRole('button', { name: 'Emoji', exact: true });
  await emoji.press('Enter');
  const search = page.getByRole('textbox', { name: 'Search emoji' });
  await expect(search).toBeFocused();
  await search.fill('thumbs up');
  const first = page.getByRole('button', { name: 'thumbs up', exact: true });
  await expect(first).toBeVisible();
  await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('status')).toHaveText(/result/);
  await expect.poll(async () => faults(await listen(page)), 'emoji').toEqual([]);
  await page.keyboard.press('Tab');
  await expect(first).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(emoji).toBeFocused();
});

test('the Tab key stops at everything, in reading order, and once at a toolbar', async ({ browser }) => {
  const { anna, ben } = await pair(browser);
  const { page } = anna;
  await say(ben.page, 'See https://example.org/ for more');
  await expect(messages(page).getByRole('link', { name: 'example.org' })).toBeVisible();
  await page.getByRole('textbox', { name: 'Message' }).fill('a draft');
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  const stops: string[] = [];
  for (let at = 0; at < 40; at += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === null || one === document.body) return '';
      const shared = window as unknown as { before?: Element };
      const { before } = shared;
      // A toolbar disappears when the focus leaves its message.
      const goesOn = before?.isConnected !== true || (before.compareDocumentPosition(one) & 4) === 4;
      shared.before = one;
      const name = one.getAttribute('aria-label') ?? one.getAttribute('title') ?? one.textContent ?? '';
      const place = one.closest('[role="toolbar"]') === null ? '' : 'in a toolbar, ';
      return `${place}${goesOn ? '' : 'BACK, '}${name}`;
    });
    if (stop === '') break;
    stops.push(stop);
  }
  const heard = stops.join('\n');
  const wanted = await page.evaluate(() => {
    const able = 'button:not(:disabled), a[href], input, textarea, [tabindex="0"]';
    return [...document.querySelectorAll<HTMLElement>(able)].filter(
      (one) => one.tabIndex >= 0 && one.closest('[role="toolbar"]') === null && one.checkVisibility(),
    ).length;
  });
  const inToolbars = stops.filter((stop) => stop.includes('toolbar'));
  expect(stops.length - inToolbars.length, heard).toBe(wanted);
  // One for each message that the Tab key passed, because it stopped at an element inside.
  expect(inToolbars, heard).toEqual(['in a toolbar, More', 'in a toolbar, More']);
  expect(heard).not.toContain('BACK');
  const places = ['Sign out', 'New conversation', 'Search', 'Options for', 'Details', 'Messages'];
  const after = ['https://example.org', 'Emoji', 'Message', 'Send'];
  for (const name of [...places, ...after]) expect(heard).toContain(name);

  await messages(page).getByText('example.org').locator('..').click();
  const toolbar = page.getByRole('toolbar', { name: 'Message actions' });
  await toolbar.getByRole('button', { name: 'More' }).focus();
  await page.keyboard.press('ArrowLeft');
  await expect(toolbar.getByRole('button', { name: 'Reply' })).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await expect(toolbar.getByRole('button', { name: 'Add reaction 👍' })).toBeFocused();
});
