/** Measures what the browser itself needs for a line after Enter, on a page that does nothing else. */
import type { Browser } from '@playwright/test';
import { installStopwatch, timesOf } from './stopwatch';

const PAGE = `<!doctype html>
<title>A box and a list</title>
<textarea aria-label="Message"></textarea>
<div role="feed" style="height: 600px; overflow: auto"></div>`;

/** Milliseconds from Enter to the line in the list, measured like an own message in the client. */
export async function measureFloor(browser: Browser, baseUrl: string, count: number): Promise<number[]> {
  const context = await browser.newContext();
  await installStopwatch(context);
  const url = new URL('a-box-and-a-list', baseUrl).href;
  await context.route(url, (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
  const page = await context.newPage();
  await page.goto(url);
  await page.evaluate(() => {
    const box = document.querySelector('textarea') as HTMLTextAreaElement;
    const feed = document.querySelector('[role="feed"]') as HTMLElement;
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      const row = document.createElement('article');
      row.textContent = box.value;
      box.value = '';
      feed.append(row);
      feed.scrollTop = feed.scrollHeight;
    });
  });
  const box = page.getByRole('textbox', { name: 'Message' });
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const name = `probe-${n}-`;
    await box.fill(`${name} and a few words`);
    await page.waitForTimeout(150 + ((n * 37) % 100));
    await page.keyboard.press('Enter');
    const { key = Number.NaN, painted = Number.NaN } = await timesOf(page, name);
    times.push(painted - key);
  }
  await context.close();
  return times;
}
