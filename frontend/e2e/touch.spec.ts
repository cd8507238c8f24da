/** Touch scrolling: changes above move nothing, and a sideways scroll is not taken for a swipe back. */
import { type CDPSession, expect, type Page } from '@playwright/test';
import { messages, newPerson, say, signIn, startWith } from './people';
import { atRest, installProbe, watchReading } from './probe';
import { Seeder } from './seed';
import { test } from './test';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

class Finger {
  readonly #devtools: CDPSession;

  private constructor(devtools: CDPSession) {
    this.#devtools = devtools;
  }

  static async on(page: Page): Promise<Finger> {
    return new Finger(await page.context().newCDPSession(page));
  }

  touch(type: 'touchStart' | 'touchMove', x: number, y: number): Promise<unknown> {
    return this.#devtools.send('Input.dispatchTouchEvent', { type, touchPoints: [{ x, y }] });
  }

  /** In steps of one frame each. */
  async move(from: [number, number], to: [number, number], steps = 12): Promise<void> {
    for (let step = 1; step <= steps; step += 1) {
      const at = (index: 0 | 1) => from[index] + ((to[index] - from[index]) * step) / steps;
      await this.touch('touchMove', at(0), at(1));
      await new Promise((resolve) => setTimeout(resolve, 16));
    }
  }

  async lift(): Promise<void> {
    await this.#devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }
}

test('a late edit above does not move what a finger scrolls upward', async ({ browser, baseURL }) => {
  const seeder = new Seeder(baseURL ?? '');
  const anna = await seeder.account('anna', 'Anna');
  const ben = await seeder.account('ben', 'Ben Okafor');
  const room = await seeder.direct(ben, anna);
  const ids: string[] = [];
  for (let n = 1; n <= 60; n += 1) ids[n] = (await seeder.say(room, ben, `line ${n}`)).id;
  const page = await (await browser.newContext(PHONE)).newPage();
  await signIn(page, anna.name);
  await page.goto(`./#/c/${room}/45`);
  await expect(messages(page).locator('article[aria-posinset="45"]')).toBeInViewport();
  await installProbe(page);
  await atRest(page);
  const edit = async (seq: number, text: string) => {
    await seeder.call(`/messages/${ids[seq]}`, 'PATCH', { text }, ben.token);
    await expect(messages(page).locator(`article[aria-posinset="${seq}"]`)).toContainText(text.slice(0, 20));
  };
  const place = (seq: number) =>
    messages(page)
      .locator(`article[aria-posinset="${seq}"]`)
      .evaluate((one) => one.getBoundingClientRect().top);
  const firstInSight = () =>
    messages(page)
      .getByRole('article')
      .evaluateAll((all) => {
        const top = document.querySelector('[role="feed"]')?.getBoundingClientRect().top ?? 0;
        const whole = all.find((one) => one.getBoundingClientRect().top >= top);
        return Number(whole?.getAttribute('aria-posinset'));
      });

  const finger = await Finger.on(page);
  await finger.touch('touchStart', 180, 300);
  await finger.move([180, 300], [180, 420]);
  await atRest(page);
  // The finger rests on the screen, and a row above becomes much higher.
  const first = await firstInSight();
  const stop = await watchReading(page);
  await edit(first - 2, `A long story ${'goes on and on '.repeat(40)}`);
  expect(await stop(), 'while the finger rests').toBeLessThanOrEqual(1);
  // It continues: the page follows it exactly, through another edit above during the movement.
  const before = await place(first);
  await finger.move([180, 420], [180, 460], 4);
  const editing = edit(first - 3, `Another story ${'goes on and on '.repeat(30)}`);
  await finger.move([180, 460], [180, 500], 8);
  await editing;
  await atRest(page);
  expect(Math.abs((await place(first)) - before - 80), 'as far as the finger').toBeLessThanOrEqual(2);
  await finger.lift();
});

test('a swipe over a table that scrolls sideways scrolls the table', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna', PHONE);
  await startWith(page, ben.name);
  const row = (cell: string) => `|${` ${cell} |`.repeat(24)}`;
  await say(page, [row('heading'), row('---'), row('cell'), row('cell'), row('cell')].join('\n'));
  const table = messages(page).getByRole('table');
  await expect(table).toBeVisible();
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  const head = page.getByRole('heading', { name: ben.name, level: 2 });
  const box = await table.boundingBox();
  const y = (box?.y ?? 0) + (box?.height ?? 0) / 2;
  const finger = await Finger.on(page);
  const swipe = async (from: number, to: number) => {
    await finger.touch('touchStart', from, y);
    await finger.move([from, y], [to, y]);
    await finger.lift();
  };
  const left = () => table.evaluate((one) => one.scrollLeft);
  // At its start neither the page nor the browser's history goes back.
  for (let turn = 0; turn < 3; turn += 1) {
    await swipe(100, 330);
    await page.waitForTimeout(300);
    await expect(head, 'to the right, where the table begins').toBeVisible();
  }
  await swipe(320, 100);
  await expect.poll(left, 'to the left').toBeGreaterThan(100);
  await swipe(100, 330);
  await expect.poll(left, 'and back').toBeLessThan(100);
  await expect(head).toBeVisible();
});
