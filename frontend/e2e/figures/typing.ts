/** Measures from the key press to the own screen and to another user's screen. */
import { type Browser, expect, type Page } from '@playwright/test';
import { messages, open, register, startWith, uniqueName } from '../people';
import { installStopwatch, timesOf } from './stopwatch';

/** Milliseconds, one of each for each message. */
export interface Trips {
  own: number[];
  other: number[];
  keyToSend: number[];
  sendToAck: number[];
  sendToOther: number[];
  otherToDrawn: number[];
  drawnToPaint: number[];
}

async function person(browser: Browser, base: string): Promise<{ name: string; page: Page }> {
  const context = await browser.newContext();
  await installStopwatch(context);
  const page = await context.newPage();
  const name = uniqueName(base);
  await register(page, name);
  return { name, page };
}

/** One user writes `count` messages to another who has the conversation open, at the pace of short replies. */
export async function measureTyping(browser: Browser, count: number): Promise<Trips> {
  const anna = await person(browser, 'anna');
  const ben = await person(browser, 'ben');
  await startWith(anna.page, ben.name);
  const box = anna.page.getByRole('textbox', { name: 'Message' });
  await box.fill('first');
  await anna.page.keyboard.press('Enter');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('first')).toBeVisible();

  const trips: Trips = {
    own: [],
    other: [],
    keyToSend: [],
    sendToAck: [],
    sendToOther: [],
    otherToDrawn: [],
    drawnToPaint: [],
  };
  for (let n = 0; n < count; n += 1) {
    const name = `probe-${n}-`;
    await box.fill(`${name} and a few words`);
    // Not in sync with frames and timers.
    await anna.page.waitForTimeout(150 + ((n * 37) % 100));
    await anna.page.keyboard.press('Enter');
    const [there, here] = await Promise.all([timesOf(ben.page, name), timesOf(anna.page, name)]);
    const { key = 0, sent = 0, painted: shown = 0 } = here;
    await anna.page.waitForFunction((one) => window.__stopwatch.times[one]?.acked !== undefined, name);
    const acked = (await timesOf(anna.page, name)).acked ?? 0;
    const { received = 0, drawn = 0, painted = 0 } = there;
    trips.own.push(shown - key);
    trips.other.push(painted - key);
    trips.keyToSend.push(sent - key);
    trips.sendToAck.push(acked - sent);
    trips.sendToOther.push(received - sent);
    trips.otherToDrawn.push(drawn - received);
    trips.drawnToPaint.push(painted - drawn);
  }
  await anna.page.context().close();
  await ben.page.context().close();
  return trips;
}
