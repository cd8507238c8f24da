import { expect } from '@playwright/test';
import { violationsOf } from './axe';
import { messages, newPerson, open, say, startWith } from './people';
import { test } from './test';

for (const colorScheme of ['light', 'dark'] as const) {
  const tag = colorScheme === 'light' ? [] : ['@slow'];
  test(`shows the state of the connection, and nothing secret: ${colorScheme}`, { tag }, async ({
    browser,
  }) => {
    const ben = await newPerson(browser, 'ben');
    const anna = await newPerson(browser, 'anna', { colorScheme, reducedMotion: 'reduce' });
    const { page } = anna;
    await startWith(page, ben.name);
    await say(page, 'hello');
    await open(ben.page, anna.name);
    await say(ben.page, 'hello back');
    await expect(messages(page).getByText('hello back')).toBeVisible();
    await expect(messages(page).getByText('Read', { exact: true })).toBeAttached();

    await page.keyboard.press('Control+k');
    await page
      .getByRole('combobox', { name: 'Find people, conversations, messages and commands' })
      .fill('connection');
    await page.getByRole('option', { name: 'Connection details' }).click();
    const panel = page.getByRole('dialog', { name: 'Connection details' });
    const line = (name: string) =>
      panel.getByText(name, { exact: true }).locator('xpath=following-sibling::dd');
    await expect(line('State')).toHaveText('Connected (connected)');
    await expect(line('Owned by')).toHaveText('this tab');
    for (const timed of ['Server round trip', 'Send to confirmation', 'Receive to screen']) {
      await expect(line(timed)).toHaveText(/^[\d.,]+ ms, 95 % within [\d.,]+ ms \(of \d+\)$/);
    }
    await expect(line('Conversations')).toHaveText('1');
    await expect(line('Messages on this page')).toHaveText('2');
    await expect(line('First load, scripts')).toHaveText(/^[\d.]+ of 170 kB$/);
    const text = await panel.innerText();
    expect(text).not.toMatch(/eyJ|token|@example/i);
    expect(text).not.toContain(anna.name);

    expect(await violationsOf(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(panel).toBeHidden();
  });
}
