/**
 * Checks that the measurements behind docs/benchmarks.md work. `just bench-web` takes the real measurements. The
 * machine may be busy and slow here, so times only have to be valid; everything else has to be exact.
 */
import { expect } from '@playwright/test';
import { measureFloor } from './figures/floor';
import { GOALS } from './figures/goals';
import { measureOpening } from './figures/opening';
import { measureScrolling } from './figures/scrolling';
import { measureFirstLoad } from './figures/size';
import { measureStillness } from './figures/stillness';
import { measureTyping } from './figures/typing';
import { open, signIn, toLatest } from './people';
import { Seeder } from './seed';
import { test } from './test';

const MESSAGES = 2_000;
/** Scrolls until the first message is loaded; this limit only ends a test that never gets there. */
const MOST_SCROLLING_S = 1_200;

test.use({ trace: 'off' });

function expectTimes(samples: readonly number[], count: number, what: string): void {
  expect(samples.length, what).toBeGreaterThanOrEqual(count);
  expect(
    samples.filter((one) => !(one > 0 && Number.isFinite(one))),
    what,
  ).toEqual([]);
}

test('the first load is within its budget', async ({ baseURL }) => {
  expect((await measureFirstLoad(baseURL as string)) / 1_000).toBeLessThanOrEqual(GOALS.firstLoad.goal);
});

test('from the key press to both screens', async ({ browser, baseURL }) => {
  expectTimes(await measureFloor(browser, baseURL as string, 10), 10, 'floor');
  const { own, other, keyToSend, sendToAck } = await measureTyping(browser, 20);
  expectTimes(own, 20, 'own');
  expectTimes(other, 20, 'other');
  expectTimes(sendToAck, 20, 'acknowledged');
  expect(Math.min(...keyToSend)).toBeGreaterThanOrEqual(0);
});

const SLOW = { tag: '@slow' };

test(
  'reload with a cache, reading from the device, and 100 missed messages',
  SLOW,
  async ({ browser, baseURL }) => {
    const { reload, stored, missed } = await measureOpening(browser, baseURL as string, 3);
    expectTimes(reload, 3, 'reload');
    expectTimes(stored, 6, 'stored');
    expectTimes(missed, 2, 'missed');
  },
);

test(
  'visible messages stay in place, and the wheel reaches the beginning',
  SLOW,
  async ({ browser, baseURL }) => {
    test.setTimeout(2 * MOST_SCROLLING_S * 1_000);
    const seeder = new Seeder(baseURL as string);
    const anna = await seeder.account('anna');
    const ben = await seeder.account('ben');
    const room = await seeder.direct(ben, anna);
    await seeder.fill(room, ben, MESSAGES);
    const page = await (await browser.newContext()).newPage();
    await signIn(page, anna.name);
    await open(page, ben.name);
    await toLatest(page);
    const reading = { page, seeder, room, from: ben, count: MESSAGES };
    for (const [name, moved] of Object.entries(await measureStillness(reading, 4))) {
      expect(moved, name).toHaveLength(4);
      expect(Math.max(...moved), name).toBeLessThan(1);
    }
    const { frames, reached } = await measureScrolling(page, MOST_SCROLLING_S);
    expect(reached).toBe(1);
    expectTimes(frames, 1, 'frames');
  },
);
