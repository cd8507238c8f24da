/** Measures whether visible messages stay in place, in pixels, sampled after paint. */
import { expect, type Page } from '@playwright/test';
import { expectAtEnd, latestButton, messages, toLatest } from '../people';
import { atRest, installProbe, watchReading } from '../probe';
import type { Account, Seeder } from '../seed';

const FRAMES = 30;
/** With messages above and below. */
const READING_PX = 900;

/** Pixels: the largest movement of the first visible message, for each run. */
export interface Movements {
  prepending: number[];
  appending: number[];
  growing: number[];
  jumping: number[];
}

export interface Reading {
  page: Page;
  seeder: Seeder;
  room: string;
  /** The user who writes. */
  from: Account;
  /** The number of messages. */
  count: number;
}

/** `reading.page` shows the end of the conversation. */
export async function measureStillness(reading: Reading, rounds: number): Promise<Movements> {
  await installProbe(reading.page);
  await atRest(reading.page);
  return {
    jumping: await jumping(reading, rounds),
    prepending: await prepending(reading.page, rounds),
    appending: await appending(reading, rounds),
    growing: await growing(reading.page, rounds),
  };
}

async function prepending(page: Page, rounds: number): Promise<number[]> {
  const moved: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    moved.push(await page.evaluate((frames) => window.__probe.movementWhileGrowingUpward(frames), FRAMES));
  }
  return moved;
}

async function appending({ page, seeder, room, from }: Reading, rounds: number): Promise<number[]> {
  const moved: number[] = [];
  await stopAt(page, READING_PX);
  for (let round = 1; round <= rounds; round += 1) {
    const stop = await watchReading(page, FRAMES);
    await seeder.say(room, from, `while reading above ${round}`);
    await expect(latestButton(page)).toHaveText(new RegExp(`^${round} new message`));
    moved.push(await stop());
  }
  return moved;
}

async function growing(page: Page, rounds: number): Promise<number[]> {
  const moved: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await stopAt(page, READING_PX + 400 * round);
    const stop = await watchReading(page, FRAMES);
    const grown = await page.evaluate(() => window.__probe.growAbove(180));
    if (!grown) throw new Error('No row is rendered above the visible ones.');
    moved.push(await stop());
  }
  return moved;
}

/** Jumps through a quote to messages that are not loaded. */
async function jumping({ page, seeder, room, from, count }: Reading, rounds: number): Promise<number[]> {
  const moved: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const seq = Math.round((count * (round + 1)) / (rounds + 2));
    const target = await idAt(seeder, room, from, seq);
    const text = `about number ${seq}`;
    await seeder.say(room, from, text, target);
    const row = messages(page).getByRole('article').filter({ hasText: text });
    await expect(row).toBeVisible();
    await expectAtEnd(page);
    const moving = page.evaluate(([position, frames]) => window.__probe.movementOf(position, frames), [
      seq,
      2 * FRAMES,
    ] as const);
    await row.getByRole('button').first().click();
    moved.push(await moving);
    await toLatest(page);
  }
  return moved;
}

async function idAt(seeder: Seeder, room: string, who: Account, seq: number): Promise<string> {
  const path = `/conversations/${room}/messages?after=${seq - 1}&limit=1`;
  const page = await seeder.call<{ items: { id: string }[] }>(path, 'GET', undefined, who.token);
  const id = page.items[0]?.id;
  if (id === undefined) throw new Error(`There is no message ${seq}.`);
  return id;
}

/** Waits there until the pages above and below are loaded. */
async function stopAt(page: Page, top: number): Promise<void> {
  await page.evaluate((at) => window.__probe.scrollTo(at), top);
  await atRest(page);
}
