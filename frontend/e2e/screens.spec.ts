/** Pictures of the pages in both themes and at phone width, kept as artefacts in ../artifacts/screens. */
import { expect, type Page, test } from '@playwright/test';
import { expectConnected, messages, open, PASSWORD } from './people';
import { type Account, Seeder } from './seed';

const FOLDER = '../artifacts/screens';

let mira: Account;

test.beforeAll(async ({ baseURL }) => {
  const seeder = new Seeder(baseURL as string);
  mira = await seeder.account('mira', 'Mira Hoffmann');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const lea = await seeder.account('lea', 'Léa Martin');
  const kai = await seeder.account('kai', 'Kai Nakamura');
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
  const garden = await seeder.group(mira, 'Garden project', [ben, lea, kai]);
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
});

async function picture(page: Page, name: string): Promise<void> {
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, viewport] of [
    ['wide', { width: 1280, height: 800 }],
    ['phone', { width: 390, height: 844 }],
  ] as const) {
    test(`pictures: ${size}, ${colorScheme}`, async ({ browser }) => {
      const context = await browser.newContext({
        colorScheme,
        viewport,
        deviceScaleFactor: size === 'phone' ? 2 : 1,
      });
      const page = await context.newPage();
      const shot = (name: string) => picture(page, `${name}-${size}-${colorScheme}`);
      await page.goto('./');
      await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible();
      await shot('sign-in');
      await page.getByRole('textbox', { name: 'Username' }).fill(mira.name);
      await page.getByLabel('Password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expectConnected(page);
      await shot('list');
      await open(page, 'Garden project');
      await expect(messages(page).getByText('Will do!')).toBeVisible();
      await shot('group');
      await page.getByRole('button', { name: 'Details', exact: true }).click();
      await shot('details');
      await page.getByRole('button', { name: 'Close details' }).click();
      await page.keyboard.press('Control+k');
      await shot('switcher');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Emoji' }).click();
      await expect(page.getByRole('button', { name: 'grinning face', exact: true })).toBeVisible();
      await shot('emoji');
      await page.keyboard.press('Escape');
      if (size === 'phone') await page.getByRole('button', { name: 'Back' }).click();
      await page.getByRole('button', { name: 'Mira Hoffmann', exact: true }).click();
      await page.getByRole('menuitem', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Appearance' }).click();
      await shot('settings');
      await context.close();
    });
  }
}
