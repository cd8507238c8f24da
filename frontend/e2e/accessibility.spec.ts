import { type Browser, expect, type Locator, type Page } from '@playwright/test';
import { violationsOf } from './axe';
import { messages, newPerson, openMenu, openMenuOf, say, startWith } from './people';
import { SETTINGS } from './settled';
import { test } from './test';

const FINDER = 'Find people, conversations, messages and commands';

/** Checks the page once `shown` is visible. */
async function expectAccessible(page: Page, where: string, shown: Locator): Promise<void> {
  await expect(shown, where).toBeVisible();
  expect(await violationsOf(page), where).toEqual([]);
}

async function prepared(
  browser: Browser,
  colorScheme: 'light' | 'dark',
  viewport: { width: number; height: number },
) {
  const ben = await newPerson(browser, 'ben');
  const anna = await newPerson(browser, 'anna', { colorScheme, viewport, reducedMotion: 'reduce' });
  await startWith(anna.page, ben.name);
  await say(anna.page, 'Plain text');
  await say(
    anna.page,
    '**Bold**, `code`, a list:\n\n- one\n- two\n\n> quoted\n\n```python\nprint("hello")\n```',
  );
  await say(anna.page, 'See https://example.org and @someone');
  await expect(messages(anna.page).getByText('Delivered')).toHaveCount(3);
  return { anna, ben };
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [name, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    // Each theme and each width is in one of the two that always run.
    const tag = (colorScheme === 'light') === (name === 'wide') ? [] : ['@slow'];
    const title = `no page has a known accessibility violation: ${colorScheme}, ${name}`;
    test(title, { tag }, async ({ browser }) => {
      const context = await browser.newContext({ colorScheme, viewport });
      const guest = await context.newPage();
      await guest.goto('./');
      await expectAccessible(guest, 'sign in', guest.getByRole('button', { name: 'Sign in' }));
      await guest.getByRole('button', { name: 'Create account' }).click();
      await expectAccessible(guest, 'register', guest.getByRole('textbox', { name: 'Email' }));
      await context.close();

      const { anna, ben } = await prepared(browser, colorScheme, viewport);
      const { page } = anna;
      const dialog = (title: string) => page.getByRole('dialog', { name: title });
      const closed = async () => {
        await page.keyboard.press('Escape');
        await expect(page.getByRole('dialog')).toBeHidden();
      };
      await expectAccessible(page, 'conversation', messages(page).locator('pre .hljs-built_in'));
      await openMenu(page, 'Plain text');
      await expectAccessible(page, 'message menu', page.getByRole('menu'));
      await page.getByRole('menuitem', { name: 'Pin for everyone' }).click();
      await expect(messages(page).getByText('Pinned')).toBeVisible();
      await page.getByRole('button', { name: 'Emoji' }).click();
      const emoji = page.getByRole('button', { name: 'grinning face', exact: true });
      await expectAccessible(page, 'emoji', emoji);
      await page.keyboard.press('Escape');
      await expect(emoji).toBeHidden();
      await page.getByRole('button', { name: 'Details', exact: true }).click();
      await expectAccessible(page, 'details', page.getByRole('button', { name: /Pinned messages/ }));
      await page.getByRole('button', { name: /Pinned messages/ }).click();
      const pinned = page.getByRole('list', { name: 'Pinned messages' }).getByText('Plain text');
      await expectAccessible(page, 'pinned messages', pinned);
      await page.getByRole('button', { name: 'Close details' }).click();
      await page.keyboard.press('Control+k');
      const finder = page.getByRole('combobox', { name: FINDER });
      await finder.fill('b');
      await expectAccessible(page, 'switcher', page.getByRole('option', { name: ben.name }).first());
      await finder.fill('plain');
      await expectAccessible(
        page,
        'switcher with a message',
        page.getByRole('option', { name: /Plain text/ }),
      );
      await finder.fill('nothing is called this');
      await expect(page.getByRole('option')).toHaveCount(0);
      await expectAccessible(page, 'switcher without results', finder);
      await finder.fill('connection');
      await page.getByRole('option', { name: 'Connection details' }).click();
      await expectAccessible(page, 'connection details', dialog('Connection details'));
      await closed();
      await page.keyboard.press('Control+/');
      await expectAccessible(page, 'shortcuts', dialog('Keyboard shortcuts'));
      await closed();
      await page.keyboard.press('Alt+n');
      await page.getByRole('textbox', { name: 'Find people' }).fill(ben.name);
      await expectAccessible(page, 'new conversation', page.getByRole('option', { name: ben.name }));
      await closed();
      if (name === 'phone') await page.getByRole('button', { name: 'Back' }).click();
      const account = page.getByRole('button', { name: anna.name, exact: true });
      await expectAccessible(page, 'list', account);
      await openMenuOf(page, anna.name);
      await expectAccessible(page, 'account menu', page.getByRole('menu'));
      await page.getByRole('menuitem', { name: 'Settings' }).click();
      for (const [part, shown] of SETTINGS) {
        await page.getByRole('button', { name: part, exact: true }).click();
        await expectAccessible(page, `settings: ${part}`, dialog('Settings').getByText(shown).first());
      }
    });
  }
}

test('everything works with the keyboard alone', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna');
  await page.keyboard.press('Alt+n');
  await expect(page.getByRole('textbox', { name: 'Find people' })).toBeFocused();
  await page.keyboard.type(ben.name);
  await expect(page.getByRole('option', { name: ben.name })).toBeVisible();
  // Typing the last letter removed other users with a similar name.
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: `Remove ${ben.name}` })).toBeVisible();
  await page.keyboard.press('Enter');
  const box = page.getByRole('textbox', { name: 'Message' });
  await expect(box).toBeFocused();
  await page.keyboard.type('first draft');
  await page.keyboard.press('Enter');
  await expect(messages(page).getByText('first draft')).toBeVisible();
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByText('Editing your message')).toBeVisible();
  await expect(box).toHaveValue('first draft');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('second draft');
  await page.keyboard.press('Enter');
  await expect(messages(page).getByText('second draft')).toBeVisible();
  await expect(messages(page).getByText('edited')).toBeVisible();
  await page.keyboard.press('Shift+ArrowUp');
  await expect(messages(page).getByRole('article').last()).toBeFocused();
  await page.keyboard.press('r');
  await expect(box).toBeFocused();
  await page.keyboard.type('an answer');
  await page.keyboard.press('Enter');
  await expect(messages(page).getByRole('button', { name: /second draft/ })).toBeVisible();
});

test('right to left text and 200 % zoom stay usable', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  // Half the width is equivalent to 200 % zoom.
  const { page } = await newPerson(browser, 'anna', { viewport: { width: 640, height: 400 } });
  await startWith(page, ben.name);
  await say(page, 'مرحبا، كيف الحال؟');
  const text = messages(page).getByText('مرحبا، كيف الحال؟');
  await expect(text).toBeVisible();
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  await expect(text).toHaveCSS('direction', 'rtl');
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await expect.poll(overflow).toBeLessThanOrEqual(0);
  await expect(page.getByRole('button', { name: 'Send' })).toBeInViewport();
});
