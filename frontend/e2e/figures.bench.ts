/** Measures the figures of the documentation. tools/bench_web.py runs this and builds the table from its output. */
import { appendFileSync } from 'node:fs';
import { test } from '@playwright/test';
import { measureFloor } from './figures/floor';
import { figureOf, GOALS, type Goal, type Key } from './figures/goals';
import { measureOpening } from './figures/opening';
import { measureScrolling } from './figures/scrolling';
import { measureFirstLoad } from './figures/size';
import { measureStillness } from './figures/stillness';
import { measureTyping } from './figures/typing';
import { expectAtEnd, open, signIn, toLatest } from './people';
import { Seeder } from './seed';

const MESSAGES = 10_000;
const WORDS = 100;
const ROUNDS = 10;
const MOST_SCROLLING_S = 60;

// Tracing costs more than what it records.
test.use({ trace: 'off' });
test.describe.configure({ timeout: 240_000 });

function record(key: Key, samples: readonly number[]): void {
  const goal: Goal = GOALS[key];
  const value = figureOf(goal.statistic, samples);
  if (Number.isNaN(value)) throw new Error(`Nothing was measured: ${goal.what}.`);
  const line = { key, ...goal, value, samples };
  appendFileSync(process.env.CHAT_MVP_BENCH_FIGURES as string, `${JSON.stringify(line)}\n`);
}

test('the first load', async ({ baseURL }) => {
  record('firstLoad', [(await measureFirstLoad(baseURL as string)) / 1_000]);
});

test('reloading, reading from the device, catching up', async ({ browser, baseURL }) => {
  const { reload, stored, storedWhileDrawing, missed } = await measureOpening(
    browser,
    baseURL as string,
    ROUNDS,
  );
  record('reload', reload);
  record('stored', stored);
  record('storedWhileDrawing', storedWhileDrawing);
  record('missed', missed);
});

test('from Enter to both screens', async ({ browser, baseURL }) => {
  record('floor', await measureFloor(browser, baseURL as string, WORDS / 2));
  const trips = await measureTyping(browser, WORDS);
  record('own', trips.own);
  record('other', trips.other);
  record('otherMedian', trips.other);
  record('keyToSend', trips.keyToSend);
  record('sendToAck', trips.sendToAck);
  record('sendToOther', trips.sendToOther);
  record('otherToDrawn', trips.otherToDrawn);
  record('drawnToPaint', trips.drawnToPaint);
});

test.describe('10,000 messages', () => {
  test('standing still and scrolling', async ({ browser, baseURL }) => {
    const seeder = new Seeder(baseURL as string);
    const anna = await seeder.account('anna');
    const ben = await seeder.account('ben');
    const room = await seeder.direct(ben, anna);
    await seeder.fill(room, ben, MESSAGES);
    const page = await (await browser.newContext()).newPage();
    await signIn(page, anna.name);
    await open(page, ben.name);
    await toLatest(page);
    await page.waitForTimeout(1_500);
    const reading = { page, seeder, room, from: ben, count: MESSAGES };
    const { prepending, appending, growing, jumping } = await measureStillness(reading, ROUNDS);
    record('prepending', prepending);
    record('appending', appending);
    record('growing', growing);
    record('jumping', jumping);
    await seeder.readAll(room, anna);
    await page.reload();
    await expectAtEnd(page);
    await page.waitForTimeout(1_500);
    const { frames, longTasks, reached } = await measureScrolling(page, MOST_SCROLLING_S);
    if (reached > 1) console.log(`Only message ${reached} was reached.`);
    record('frames', frames);
    record('longTasks', [longTasks.length, 0]);
    await page.context().close();
  });
});
