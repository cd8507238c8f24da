/** Measures opening: after a reload, another conversation, and missed messages. */
import { type Browser, expect, type Page } from '@playwright/test';
import { expectKeptMessages } from '../device';
import { expectConnected, goOffline, messages, open, signIn, toLatest } from '../people';
import { type Account, Seeder } from '../seed';
import { installStopwatch } from './stopwatch';

/** Milliseconds. */
export interface Openings {
  reload: number[];
  /** On an idle page. */
  stored: number[];
  /** The client's own queries, whose results wait until the page is idle. */
  storedWhileDrawing: number[];
  missed: number[];
}

const MISSED = 100;
/** Messages of one read from the device. */
const READ = 50;
/** The page stores what it fetched, and prefetches, a moment after it is shown. */
const SETTLED_MS = 2_500;

declare global {
  interface Window {
    __shownAt?: number;
    __reads?: number[];
    __caughtUpAt?: Promise<number>;
  }
}

export async function measureOpening(browser: Browser, baseUrl: string, rounds: number): Promise<Openings> {
  const seeder = new Seeder(baseUrl);
  const anna = await seeder.account('anna');
  const ben = await seeder.account('ben');
  const cleo = await seeder.account('cleo');
  const room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, 400);
  await seeder.fill(await seeder.direct(cleo, anna), cleo, 400);
  const context = await browser.newContext();
  await installStopwatch(context);
  const page = await context.newPage();
  await signIn(page, anna.name);
  for (const other of [cleo, ben]) {
    await open(page, other.name);
    await toLatest(page);
    await page.waitForTimeout(SETTLED_MS);
  }
  await context.addInitScript(watchReload);
  const reload = await reloads(page, rounds);
  const storedWhileDrawing = await readsWhileDrawing(page, [cleo, ben], rounds);
  await expectKeptMessages(page, room, READ);
  await page.waitForTimeout(SETTLED_MS);
  const stored = await readsAtRest(page, room, 2 * rounds);
  const missed: number[] = [];
  for (let round = 0; round < Math.ceil(rounds / 2); round += 1) {
    missed.push(await catchUp(page, seeder, room, ben, `caught up ${round}`));
  }
  await context.close();
  return { reload, stored, storedWhileDrawing, missed };
}

async function reloads(page: Page, rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    await page.reload();
    await page.waitForFunction(() => window.__shownAt !== undefined);
    times.push((await page.evaluate(() => window.__shownAt)) ?? Number.NaN);
    await expectConnected(page);
    await page.waitForTimeout(SETTLED_MS);
  }
  return times;
}

/** Records when messages were painted after the start of the navigation, and how long reading the device took. */
function watchReload(): void {
  const watch = async () => {
    while (document.querySelectorAll('[role="feed"] article').length < 4) {
      await window.__stopwatch.afterPaint();
    }
    await window.__stopwatch.afterPaint();
    window.__shownAt = performance.now();
  };
  void watch();
  // From the query to its complete result, whichever API the library uses.
  const times: number[] = [];
  window.__reads = times;
  const transaction = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (stores, mode, options) {
    const made = transaction.call(this, stores, mode, options);
    if (mode === 'readonly' && [stores].flat().join() === 'messages') {
      const began = performance.now();
      made.addEventListener('complete', () => times.push(performance.now() - began));
    }
    return made;
  };
}

/** Reads the newest 50 messages of a conversation from the client's own database on an idle page. */
function readsAtRest(page: Page, room: string, rounds: number): Promise<number[]> {
  return page.evaluate(
    async ([conversationId, count, wanted]) => {
      const name = (await indexedDB.databases()).find((one) => one.name?.startsWith('chat-mvp:'))?.name;
      if (name === undefined) throw new Error('The client has no database.');
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const times: number[] = [];
      for (let round = 0; round < count; round += 1) {
        const began = performance.now();
        const found = await new Promise<number>((resolve, reject) => {
          let rows = 0;
          const range = IDBKeyRange.bound([conversationId, 0], [conversationId, Number.MAX_SAFE_INTEGER]);
          const request = db.transaction('messages').objectStore('messages').openCursor(range, 'prev');
          request.onerror = () => reject(request.error);
          request.onsuccess = () => {
            const cursor = request.result;
            if (cursor !== null) rows += 1;
            if (cursor === null || rows === wanted) resolve(rows);
            else cursor.continue();
          };
        });
        if (found !== wanted) throw new Error(`Only ${found} messages are stored.`);
        times.push(performance.now() - began);
      }
      db.close();
      return times;
    },
    [room, rounds, READ] as const,
  );
}

/** The client's own reads while it switches between two conversations. */
async function readsWhileDrawing(page: Page, others: readonly Account[], rounds: number): Promise<number[]> {
  await page.evaluate(() => {
    if (window.__reads !== undefined) window.__reads.length = 0;
  });
  for (let round = 0; round < rounds; round += 1) {
    for (const other of others) {
      await open(page, other.name);
      await expect(messages(page).getByRole('article').first()).toBeVisible();
      await page.waitForTimeout(200);
    }
  }
  return (await page.evaluate(() => window.__reads)) ?? [];
}

/** From the browser's `online` event to the last message on the screen. */
async function catchUp(
  page: Page,
  seeder: Seeder,
  room: string,
  from: Account,
  last: string,
): Promise<number> {
  const context = page.context();
  await goOffline(page);
  await seeder.fill(room, from, MISSED - 1);
  await seeder.say(room, from, last);
  await page.evaluate((text) => {
    const back = new Promise<number>((resolve) => {
      window.addEventListener('online', () => resolve(performance.now()), { once: true });
    });
    const shown = () => {
      const feed = document.querySelector('[role="feed"]');
      const row = [...(feed?.querySelectorAll('article') ?? [])].at(-1);
      return (
        feed !== null &&
        row?.textContent?.includes(text) === true &&
        row.getBoundingClientRect().bottom <= feed.getBoundingClientRect().bottom + 1
      );
    };
    window.__caughtUpAt = back.then(async (began) => {
      do await window.__stopwatch.afterPaint();
      while (!shown());
      return performance.now() - began;
    });
  }, last);
  await context.setOffline(false);
  const took = await page.evaluate(() => window.__caughtUpAt ?? Number.NaN);
  await expectConnected(page);
  await page.waitForTimeout(SETTLED_MS);
  return took;
}
