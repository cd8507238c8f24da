/** The figures of the documentation, measured in a real browser. Prints them; fails only where one is far off. */
import { expect, type Page, test } from '@playwright/test';
import { expectConnected, messages, newPerson, open, PASSWORD, startWith } from './people';
import { Seeder } from './seed';

// Recording what happens costs more than what happens.
test.use({ trace: 'off' });

function median(values: number[]): number {
  return percentile(values, 50);
}

function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((share / 100) * sorted.length))] ?? Number.NaN;
}

function report(what: string, value: number, unit: string, atMost: number): void {
  console.log(`FIGURE ${what}: ${value.toFixed(1)} ${unit} (at most ${atMost} ${unit})`);
}

async function signIn(page: Page, name: string): Promise<void> {
  await page.goto('./');
  await page.getByRole('textbox', { name: 'Username' }).fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expectConnected(page);
}

test('from the key to the own screen and to the other one', async ({ browser }) => {
  test.setTimeout(120_000);
  const anna = await newPerson(browser, 'anna');
  const ben = await newPerson(browser, 'ben');
  await startWith(anna.page, ben.name);
  await anna.page.getByRole('textbox', { name: 'Message' }).fill('first');
  await anna.page.keyboard.press('Enter');
  await open(ben.page, anna.name);
  await expect(messages(ben.page).getByText('first')).toBeVisible();

  for (const page of [anna.page, ben.page]) {
    await page.evaluate(() => {
      const seen: Record<string, number> = {};
      (window as unknown as { __seen: typeof seen }).__seen = seen;
      const feed = document.querySelector('[role="feed"]') as Element;
      new MutationObserver(() => {
        for (const match of (feed.textContent ?? '').matchAll(/probe-\d+-/g)) {
          seen[match[0]] ??= performance.timeOrigin + performance.now();
        }
      }).observe(feed, { subtree: true, childList: true, characterData: true });
      window.addEventListener(
        'keydown',
        (event) => {
          if (event.key === 'Enter') seen.enter = performance.timeOrigin + performance.now();
        },
        true,
      );
    });
  }
  const own: number[] = [];
  const other: number[] = [];
  for (let n = 0; n < 40; n += 1) {
    const mark = `probe-${n}-`;
    await anna.page.getByRole('textbox', { name: 'Message' }).fill(`${mark} text`);
    await anna.page.keyboard.press('Enter');
    await expect(messages(ben.page).getByText(mark)).toBeAttached();
    const at = (page: Page, key: string) =>
      page.evaluate(
        (name) => (window as unknown as { __seen: Record<string, number> }).__seen[name] ?? 0,
        key,
      );
    const enter = await at(anna.page, 'enter');
    own.push((await at(anna.page, mark)) - enter);
    other.push((await at(ben.page, mark)) - enter);
  }
  report('Enter to own message on screen', median(own), 'ms', 16);
  report('Enter to text in the other browser, p95', percentile(other, 95), 'ms', 60);
  expect(median(own)).toBeLessThan(100);
  expect(percentile(other, 95)).toBeLessThan(600);
});

test('reload with a cache, and 100 missed messages', async ({ browser, baseURL }) => {
  test.setTimeout(180_000);
  const seeder = new Seeder(baseURL as string);
  const anna = await seeder.account('anna');
  const ben = await seeder.account('ben');
  const room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, 400);
  const context = await browser.newContext();
  const page = await context.newPage();
  await signIn(page, anna.name);
  await open(page, ben.name);
  await page.getByRole('button', { name: /latest|new messages/ }).click();
  await page.waitForTimeout(2_500);

  const reloads: number[] = [];
  for (let n = 0; n < 7; n += 1) {
    await page.addInitScript(() => {
      const watch = () => {
        if (document.querySelectorAll('[role="feed"] article').length > 3) {
          (window as unknown as { __shown: number }).__shown = performance.now();
        } else requestAnimationFrame(watch);
      };
      requestAnimationFrame(watch);
    });
    await page.reload();
    await page.waitForFunction(() => (window as unknown as { __shown?: number }).__shown !== undefined);
    reloads.push(await page.evaluate(() => (window as unknown as { __shown: number }).__shown));
    await expectConnected(page);
  }
  report('reload with cache to messages on screen', median(reloads), 'ms', 300);

  const reads = await page.evaluate(async (conversationId) => {
    const names = (await indexedDB.databases()).map((one) => one.name ?? '');
    const name = names.find((one) => one.startsWith('chat-mvp:')) as string;
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const start = performance.now();
      await new Promise<void>((resolve) => {
        const found: unknown[] = [];
        const range = IDBKeyRange.bound([conversationId, 0], [conversationId, Number.MAX_SAFE_INTEGER]);
        const request = db.transaction('messages').objectStore('messages').openCursor(range, 'prev');
        request.onsuccess = () => {
          const cursor = request.result;
          if (cursor === null || found.push(cursor.value) === 50) resolve();
          else cursor.continue();
        };
      });
      times.push(performance.now() - start);
    }
    db.close();
    return times;
  }, room);
  report('IndexedDB: 50 messages of a conversation', median(reads), 'ms', 10);

  const catching: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    await context.setOffline(true);
    await expect(page.getByRole('status', { name: 'Connection' })).toContainText('Offline');
    await seeder.fill(room, ben, 99);
    await seeder.say(room, ben, `caught up ${round}`);
    await page.evaluate((text) => {
      const stamps = window as unknown as { __open: number; __caught: number };
      const NativeSocket = window.WebSocket;
      window.WebSocket = class extends NativeSocket {
        constructor(url: string | URL, protocols?: string | string[]) {
          super(url, protocols);
          this.addEventListener('open', () => {
            stamps.__open = performance.now();
          });
        }
      };
      const poll = () => {
        const badge = [...document.querySelectorAll('a[aria-current="page"], nav a')]
          .map((one) => one.textContent)
          .join();
        if (
          badge.includes(text) ||
          (document.querySelector('[role="feed"]')?.textContent ?? '').includes(text)
        ) {
          stamps.__caught = performance.now();
          window.WebSocket = NativeSocket;
        } else requestAnimationFrame(poll);
      };
      requestAnimationFrame(poll);
    }, `caught up ${round}`);
    await context.setOffline(false);
    await expectConnected(page);
    await expect(page.getByText(`caught up ${round}`).first()).toBeAttached();
    const [opened, caught] = await page.evaluate(() => {
      const stamps = window as unknown as { __open: number; __caught: number };
      return [stamps.__open, stamps.__caught];
    });
    catching.push(caught - opened);
  }
  report('reconnect with 100 missed messages to the last on screen', median(catching), 'ms', 500);
  expect(median(reloads)).toBeLessThan(3_000);
});

test('scrolling through a long history', async ({ browser, baseURL }) => {
  test.setTimeout(240_000);
  const seeder = new Seeder(baseURL as string);
  const anna = await seeder.account('anna');
  const ben = await seeder.account('ben');
  const room = await seeder.direct(ben, anna);
  await seeder.fill(room, ben, Number(process.env.CHAT_MVP_E2E_MESSAGES ?? 10_000));
  const page = await (await browser.newContext()).newPage();
  await signIn(page, anna.name);
  await open(page, ben.name);
  await page.getByRole('button', { name: /latest|new messages/ }).click();
  await page.waitForTimeout(1_500);
  await page.evaluate(() => {
    const state = window as unknown as { __long: number[]; __frames: number };
    state.__long = [];
    state.__frames = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) state.__long.push(entry.duration);
    }).observe({ type: 'longtask' });
    const tick = () => {
      state.__frames += 1;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const box = await messages(page).boundingBox();
  if (box === null) throw new Error('no feed');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const start = Date.now();
  for (let turn = 0; turn < 150; turn += 1) {
    await page.mouse.wheel(0, -600);
    await page.waitForTimeout(16);
  }
  const seconds = (Date.now() - start) / 1000;
  const { frames, long } = await page.evaluate(() => {
    const state = window as unknown as { __long: number[]; __frames: number };
    return { frames: state.__frames, long: state.__long };
  });
  report('scrolling: frames a second', frames / seconds, '/s', 60);
  report('scrolling: long tasks over 50 ms', long.length, '', 0);
  report('scrolling: longest task', Math.max(0, ...long), 'ms', 50);
});
