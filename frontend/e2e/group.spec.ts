import { expect } from '@playwright/test';
import { messages, newPerson, open, openMenu, openMenuOf, pointAt, say, startWith } from './people';
import { test } from './test';

test('three users in a group: typing, reactions, names, replies, joining and leaving', async ({
  browser,
}) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const cleo = await newPerson(browser, 'cleo', { viewport: { width: 390, height: 800 } });
  await startWith(anna.page, ben.name, cleo.name);
  await say(anna.page, `Hello both, @${ben.name} first`);
  const title = new RegExp(`${ben.name}, ${cleo.name}`);
  await open(ben.page, title);
  await open(cleo.page, title);
  await expect(messages(anna.page).getByText('Read', { exact: true })).toBeAttached();

  // It shows for some seconds only, and is repeated every few seconds while the user types.
  await expect(async () => {
    await ben.page.getByRole('textbox', { name: 'Message' }).pressSequentially('I am');
    const typing = anna.page.getByRole('main').getByText(`${ben.name} is typing`).first();
    await expect(typing).toBeVisible({ timeout: 1_000 });
  }).toPass({ intervals: [0] });
  await ben.page.getByRole('textbox', { name: 'Message' }).fill('I am here');
  await ben.page.keyboard.press('Enter');
  await expect(messages(cleo.page).getByText('I am here')).toBeVisible();
  await expect(messages(cleo.page).getByRole('heading', { name: ben.name })).toBeVisible();

  await (await pointAt(anna.page, 'I am here')).getByRole('button', { name: 'Add reaction 👍' }).click();
  await expect(messages(ben.page).getByRole('button', { name: /👍 1/ })).toBeVisible();
  const answered = await pointAt(anna.page, 'I am here');
  await answered.getByRole('button', { name: 'Reply', exact: true }).click();
  await say(anna.page, 'Good');
  await expect(messages(cleo.page).getByRole('button', { name: /I am here/ })).toBeVisible();

  await anna.page.getByRole('button', { name: 'Details', exact: true }).click();
  await anna.page.getByRole('button', { name: 'Rename' }).click();
  await anna.page.getByRole('textbox', { name: 'Name', exact: true }).fill('Garden');
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await expect(ben.page.getByRole('heading', { name: 'Garden', level: 2 })).toBeVisible();

  await ben.page.getByRole('button', { name: 'Details', exact: true }).click();
  const rename = ben.page.getByRole('button', { name: 'Rename' });
  await expect(ben.page.getByRole('button', { name: 'Leave group' })).toBeVisible();
  await expect(rename).toHaveCount(0);
  await openMenuOf(anna.page, `Options for ${ben.name}`);
  await anna.page.getByRole('menuitem', { name: 'Make admin' }).click();
  await expect(rename).toBeVisible();
  await openMenuOf(anna.page, `Options for ${ben.name}`);
  await anna.page.getByRole('menuitem', { name: 'Make member' }).click();
  await expect(rename).toHaveCount(0);

  await openMenu(anna.page, 'Good');
  await anna.page.getByRole('menuitem', { name: 'Delete' }).click();
  await anna.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(messages(cleo.page).getByText('This message was deleted')).toBeVisible();

  await openMenuOf(anna.page, `Options for ${cleo.name}`);
  await anna.page.getByRole('menuitem', { name: 'Remove from group' }).click();
  await expect(cleo.page.getByRole('list', { name: 'Conversations' }).getByRole('link')).toHaveCount(0);
  await expect(anna.page.getByText('2 members').first()).toBeVisible();
});

test('a direct conversation that the user left comes back with the next message', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'before');
  await open(ben.page, anna.name);
  await ben.page.getByRole('button', { name: 'Details', exact: true }).click();
  await ben.page.getByRole('button', { name: 'Leave conversation' }).click();
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Leave conversation' }).click();
  await expect(ben.page.getByRole('list', { name: 'Conversations' }).getByRole('link')).toHaveCount(0);
  await expect(messages(anna.page).getByText('before')).toBeVisible();

  await say(anna.page, 'after');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('after')).toBeVisible();
  await expect(messages(ben.page).getByText('before')).toHaveCount(0);
});

test('a new name shows immediately wherever the user appears', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  const cleo = await newPerson(browser, 'cleo');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'hello');
  await startWith(anna.page, ben.name, cleo.name);
  await say(anna.page, 'hello both');
  await open(ben.page, new RegExp(`${ben.name}, ${cleo.name}`));
  await say(ben.page, 'hello to you');
  await expect(messages(anna.page).getByRole('heading', { name: ben.name })).toBeVisible();
  await anna.page.getByRole('button', { name: 'Details', exact: true }).click();
  const details = anna.page.getByRole('complementary', { name: 'Details' });
  await expect(details.getByText(ben.name, { exact: true })).toBeVisible();

  await openMenuOf(ben.page, ben.name);
  await ben.page.getByRole('menuitem', { name: 'Settings' }).click();
  await ben.page.getByRole('textbox', { name: 'Display name' }).fill('Benjamin Renamed');
  await ben.page.getByRole('button', { name: 'Save' }).click();

  const list = anna.page.getByRole('list', { name: 'Conversations' });
  await expect(list.getByRole('link', { name: /^Benjamin Renamed/ })).toBeVisible();
  await expect(messages(anna.page).getByRole('heading', { name: 'Benjamin Renamed' })).toBeVisible();
  await expect(details.getByText('Benjamin Renamed', { exact: true })).toBeVisible();
  await open(anna.page, 'Benjamin Renamed');
});

test('messages are delivered over a slow network', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'quick');
  await expect(messages(anna.page).getByText('Delivered')).toHaveCount(1);
  const network = await anna.page.context().newCDPSession(anna.page);
  await network.send('Network.enable');
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 800,
    downloadThroughput: 50_000,
    uploadThroughput: 20_000,
  });
  await say(anna.page, 'slow');
  await expect(messages(anna.page).getByText('slow')).toBeVisible();
  await expect(messages(anna.page).getByText('Delivered')).toHaveCount(2);
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('slow')).toHaveCount(1);
});

test('a blocked user cannot be messaged, and can be again after unblocking', async ({ browser }) => {
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await say(anna.page, 'hello');
  await open(ben.page, anna.name);
  await ben.page.getByRole('button', { name: 'Details', exact: true }).click();
  await ben.page.getByRole('button', { name: 'Block' }).click();
  await ben.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await expect(ben.page.getByRole('textbox', { name: 'Message' })).toBeDisabled();
  await say(anna.page, 'are you there?');
  await expect(messages(anna.page).getByText('Not sent')).toBeAttached();
  await expect(messages(anna.page).getByText("You can't message this person.")).toBeVisible();
  await ben.page.getByRole('button', { name: 'Unblock' }).click();
  await expect(ben.page.getByRole('textbox', { name: 'Message' })).toBeEnabled();
  await messages(anna.page).getByRole('button', { name: 'Try again' }).click();
  await expect(messages(ben.page).getByText('are you there?')).toBeVisible();
});
