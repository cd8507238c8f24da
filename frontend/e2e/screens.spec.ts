/** Screenshots of the pages in both themes and at phone width, stored as artefacts in ../artifacts/screens. */
import { expect, type Locator, type Page } from '@playwright/test';
import { expectAtEnd, messages, open, openMenuOf, signIn } from './people';
import { type Account, Seeder } from './seed';
import { SETTINGS, settled } from './settled';
import { test } from './test';

const FOLDER = '../artifacts/screens';
const FINDER = 'Find people, conversations, messages and commands';

let seeder: Seeder;
let mira: Account;
let ben: Account;
let lea: Account;
let kai: Account;
/** Sends unread messages before each round of screenshots. */
let circle: string;
let garden: string;

test.beforeAll(async ({ baseURL }) => {
  seeder = new Seeder(baseURL as string);
  mira = await seeder.account('mira', 'Mira Hoffmann');
  ben = await seeder.account('ben', 'Ben Okafor');
  lea = await seeder.account('lea', 'Léa Martin');
  kai = await seeder.account('kai', 'Kai Nakamura');
  const omar = await seeder.account('omar', 'Omar Haddad');
  const withOmar = await seeder.direct(omar, mira);
  await seeder.say(withOmar, omar, 'مرحبا ميرا، هل رأيت الصور؟');
  await seeder.say(withOmar, mira, 'Yes! They are wonderful.');
  const withLea = await seeder.direct(lea, mira);
  await seeder.say(withLea, lea, 'Are we still on for Thursday?');
  await seeder.say(withLea, lea, 'I found a place near the river 🌿');
  const withBen = await seeder.direct(ben, mira);
  await seeder.say(withBen, ben, 'Morning! Did the delivery arrive?');
  await seeder.say(withBen, mira, 'Yes, this morning. Everything is there except the **blue paint**.');
  await seeder.say(withBen, ben, "I'll ask them. Two tins, right?");
  await seeder.say(withBen, mira, 'Right. Thanks!');
  garden = await seeder.group(mira, 'Garden project', [ben, lea, kai]);
  await seeder.say(
    garden,
    ben,
    'I put the plan into the shared folder. Three things are open:\n\n1. Who brings the tools?\n2. When does the soil arrive?\n3. Do we need a permit for the shed?',
  );
  const tools = await seeder.say(garden, lea, 'Tools: I can bring mine.');
  await seeder.say(garden, lea, 'And my brother has a wheelbarrow.');
  await seeder.say(
    garden,
    kai,
    'Soil comes on Friday between 8 and 12. I wrote a small script that reminds us:\n\n```python\nfor person in team:\n    remind(person, at="07:30")  # early, sorry\n```',
  );
  await seeder.say(garden, mira, 'Great. Can you also ask about the permit?', tools.id);
  await seeder.say(
    garden,
    mira,
    'I will be there from half past seven. See https://example.org/garden for the map.',
  );
  const last = await seeder.say(garden, kai, 'Will do! 🌱');
  await seeder.react(last.id, mira, '❤️');
  await seeder.react(last.id, ben, '❤️');
  await seeder.react(last.id, lea, '🎉');
  await seeder.call(`/messages/${tools.id}/pin`, 'PUT', undefined, mira.token);
  for (const who of [ben, lea, kai]) await seeder.call(`/contacts/${who.id}`, 'PUT', {}, mira.token);
  await seeder.account('gabriela', 'Gabriela Rossi');
  circle = await seeder.group(lea, 'Reading circle', [mira, ben]);
  await seeder.say(circle, mira, 'Hello everybody!');
});

/** Takes a screenshot of a page once `shown` is visible. */
async function picture(page: Page, name: string, shown: Locator): Promise<void> {
  await expect(shown, name).toBeVisible();
  await settled(page);
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    // Each theme and each width is in one of the two that always run.
    const tag = (colorScheme === 'light') === (size === 'wide') ? [] : ['@slow'];
    test(`screenshots: ${size}, ${colorScheme}`, { tag }, async ({ browser }) => {
      await seeder.readAll(circle, mira);
      for (let n = 1; n <= 24; n += 1)
        await seeder.say(
          circle,
          n % 3 === 0 ? ben : lea,
          `Chapter ${n}: who would have thought?\n\nI read it twice.`,
        );
      const context = await browser.newContext({
        colorScheme,
        viewport,
        hasTouch: size === 'phone',
        deviceScaleFactor: size === 'phone' ? 2 : 1,
      });
      const page = await context.newPage();
      const shot = async (name: string, shown: Locator) => {
        // A lifted finger does not hover.
        if (size === 'phone') await page.mouse.move(0, 0);
        await picture(page, `${name}-${size}-${colorScheme}`, shown);
      };
      const dialog = (title: string) => page.getByRole('dialog', { name: title });
      const closed = async (what: Locator) => {
        await page.keyboard.press('Escape');
        await expect(what).toBeHidden();
      };
      const back = async () => {
        if (size === 'phone') await page.getByRole('button', { name: 'Back' }).click();
      };
      const finder = page.getByRole('combobox', { name: FINDER });
      const details = page.getByRole('button', { name: 'Details', exact: true });
      const menu = page.getByRole('menu');
      await page.goto('./');
      await shot('sign-in', page.getByRole('button', { name: 'Sign in' }));
      await page.getByRole('button', { name: 'Create account' }).click();
      await shot('register', page.getByRole('textbox', { name: 'Email' }));
      await signIn(page, mira.name);
      await shot('list', page.getByRole('link', { name: /^Garden project/ }));

      await open(page, 'Reading circle');
      await shot('unread', messages(page).getByText('New messages'));
      const bar = page.getByRole('button', { name: /new since/ });
      await messages(page).hover();
      await expect(async () => {
        await page.mouse.wheel(0, 300);
        await expect(bar).toBeVisible({ timeout: 2_000 });
      }).toPass();
      await shot('new-since', bar);
      await back();

      await open(page, 'Garden project');
      await shot('group', messages(page).getByText('Will do!'));
      await messages(page).getByText('half past seven').click();
      const more = page.getByRole('button', { name: 'More' });
      await expect(more).toHaveAttribute('aria-haspopup', 'menu');
      await more.click();
      // The menu closes when the mouse that opened it leaves, so the mouse stays in place.
      await picture(page, `message-menu-${size}-${colorScheme}`, menu);
      await closed(menu);
      const day = messages(page).getByRole('button', { name: 'Today' });
      await day.focus();
      await shot('day', day);
      await page.keyboard.press('Enter');
      await shot('jump-to-date', page.getByRole('textbox', { name: 'Date' }));
      await closed(page.getByRole('dialog'));
      await details.click();
      await shot('details', page.getByRole('button', { name: /Pinned messages/ }));
      await page.getByRole('button', { name: /Pinned messages/ }).click();
      await shot('pinned', page.getByRole('list', { name: 'Pinned messages' }));
      await page.getByRole('button', { name: 'Close details' }).click();

      await page.keyboard.press('Control+k');
      await shot('switcher', finder);
      await finder.fill('ga');
      await expect(page.getByRole('option', { name: /Gabriela/ }).first()).toBeVisible();
      await shot('switcher-results', page.getByRole('option', { name: /example.org.garden/ }));
      await finder.fill('nothing is called this');
      await expect(page.getByRole('option')).toHaveCount(0);
      await shot('switcher-empty', finder);
      await finder.fill('connection');
      await page.getByRole('option', { name: 'Connection details' }).click();
      await shot('connection-details', dialog('Connection details'));
      await closed(dialog('Connection details'));
      await page.keyboard.press('Control+/');
      await shot('shortcuts', dialog('Keyboard shortcuts'));
      await closed(dialog('Keyboard shortcuts'));
      await page.keyboard.press('Alt+n');
      await shot('new-conversation', dialog('New conversation'));
      await page.getByRole('textbox', { name: 'Find people' }).fill('ga');
      await shot('new-conversation-found', page.getByRole('option').first());
      await closed(dialog('New conversation'));
      await page.getByRole('button', { name: 'Emoji' }).click();
      const emoji = page.getByRole('button', { name: 'grinning face', exact: true });
      await shot('emoji', emoji);
      await closed(emoji);
      await back();

      await open(page, 'Ben Okafor');
      await details.click();
      await shot('person', page.getByRole('button', { name: 'Nickname' }));
      await page.getByRole('button', { name: 'Close details' }).click();
      await back();
      await openMenuOf(page, 'Mira Hoffmann');
      await shot('account-menu', menu);
      await page.getByRole('menuitem', { name: 'Settings' }).click();
      for (const [part, shown] of SETTINGS) {
        await page.getByRole('button', { name: part, exact: true }).click();
        await shot(`settings-${part.toLowerCase()}`, dialog('Settings').getByText(shown).first());
      }
      await context.close();
    });
  }
}

test('screenshots for the README', { tag: '@slow' }, async ({ browser }) => {
  for (const who of [mira, ben, lea, kai]) await seeder.readAll(garden, who);
  const others: Page[] = [];
  for (const who of [ben, lea, kai]) {
    const page = await (await browser.newContext()).newPage();
    await signIn(page, who.name);
    await open(page, 'Garden project');
    await expect(messages(page).getByText('Will do!')).toBeVisible();
    others.push(page);
  }
  for (const [name, colorScheme, viewport, deviceScaleFactor] of [
    ['web-client', 'light', { width: 1200, height: 750 }, 1],
    ['web-client-dark', 'dark', { width: 1280, height: 800 }, 1],
    ['web-client-phone', 'light', { width: 390, height: 844 }, 2],
  ] as const) {
    const context = await browser.newContext({ colorScheme, viewport, deviceScaleFactor });
    const page = await context.newPage();
    await signIn(page, mira.name);
    await open(page, 'Garden project');
    await expectAtEnd(page);
    await page.getByRole('textbox', { name: 'Message' }).blur();
    await page.mouse.move(0, 0);
    await expect(messages(page).getByText('Read', { exact: true }).first()).toBeAttached();
    const typing = page
      .getByText(/is typing/)
      .filter({ visible: true })
      .first();
    // Typing is repeated only every few seconds.
    await expect(async () => {
      await others[0]?.getByRole('textbox', { name: 'Message' }).pressSequentially('so ');
      await expect(typing).toBeVisible({ timeout: 1000 });
    }).toPass();
    await picture(page, name, typing);
    await context.close();
  }
});
