/** A phone: touch, screen edges, on-screen keyboard. */
import { type BrowserContextOptions, expect, type Locator, type Page } from '@playwright/test';
import { messages, newPerson, say, startWith } from './people';
import { test } from './test';

const PHONE: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  hasTouch: true,
  isMobile: true,
};

/** Visible controls smaller than 44 px; links inside text are exempt (WCAG 2.5.8). */
async function small(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const top = document.querySelector('dialog[open]') ?? document.body;
    for (const one of top.querySelectorAll<HTMLElement>(
      'button, a, input, textarea, [role="menuitem"], [role="option"], [role="menuitemradio"]',
    )) {
      const box = (one.closest('label') ?? one).getBoundingClientRect();
      const seen = one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!seen || box.width === 0 || one.closest('.prose, .sr-only') !== null) continue;
      if (box.height < 43.5 || box.width < 43.5) {
        const name = one.getAttribute('aria-label') ?? one.textContent ?? '';
        found.push(`${name.trim().slice(0, 40)}: ${Math.round(box.width)} x ${Math.round(box.height)}`);
      }
    }
    return found;
  });
}

test('touch targets of the sign-in page and the list are large enough', async ({ browser }) => {
  const guest = await (await browser.newContext(PHONE)).newPage();
  await guest.goto('./');
  await expect(guest.getByRole('button', { name: 'Sign in' })).toBeVisible();
  await expect.poll(() => small(guest), 'sign in').toEqual([]);
  const { page } = await newPerson(browser, 'anna', PHONE);
  await expect.poll(() => small(page), 'empty list').toEqual([]);
});

/** The position of a visible element in the page. */
async function boxOf(what: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await what.boundingBox();
  if (box === null) throw new Error('The element is not in the page.');
  return box;
}

/** Moves a finger from one position to another in steps. */
async function swipe(page: Page, from: [number, number], to: [number, number]): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  const at = (share: number) => [
    { x: from[0] + (to[0] - from[0]) * share, y: from[1] + (to[1] - from[1]) * share },
  ];
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0) });
  for (let step = 1; step <= 10; step += 1) {
    await devtools.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(step / 10) });
    await page.waitForTimeout(16);
  }
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

test('a swipe goes back to the list; a short one and a vertical one do not', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna', PHONE);
  await startWith(page, ben.name);
  const head = page.getByRole('heading', { name: ben.name, level: 2 });
  await swipe(page, [40, 300], [90, 300]);
  await page.waitForTimeout(200);
  await expect(head, 'a short swipe').toBeVisible();
  await swipe(page, [40, 200], [60, 500]);
  await page.waitForTimeout(200);
  await expect(head, 'one down').toBeVisible();
  await swipe(page, [40, 300], [300, 310]);
  await expect(page.getByRole('link', { name: ben.name })).toBeVisible();
  await expect(head).toHaveCount(0);
});

test('a swipe over code that scrolls sideways scrolls the code', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna', PHONE);
  await startWith(page, ben.name);
  await say(page, `\`\`\`\n${'a very long line of code '.repeat(10)}\n\`\`\``);
  const code = messages(page).locator('pre');
  await expect(code).toBeVisible();
  await expect(messages(page).getByText('Delivered')).toBeAttached();
  const head = page.getByRole('heading', { name: ben.name, level: 2 });
  // Near the upper edge, where nothing covers it.
  const y = (await boxOf(code)).y + 12;
  // Neither the page nor the browser's history goes back, several times in a row.
  for (let turn = 0; turn < 3; turn += 1) {
    await swipe(page, [100, y], [330, y]);
    await page.waitForTimeout(300);
    await expect(head, 'to the right, where the code begins').toBeVisible();
  }
  await swipe(page, [320, y], [100, y]);
  await expect.poll(() => code.evaluate((one) => one.scrollLeft), 'to the left').toBeGreaterThan(100);
  await swipe(page, [100, y], [330, y]);
  await expect.poll(() => code.evaluate((one) => one.scrollLeft), 'and back').toBeLessThan(100);
  await expect(head).toBeVisible();
});

test('a notch or a home bar hides nothing, and the keyboard leaves room', async ({ browser }) => {
  const ben = await newPerson(browser, 'ben');
  const { page } = await newPerson(browser, 'anna', PHONE);
  const viewport = await page.locator('meta[name="viewport"]').getAttribute('content');
  expect(viewport).toContain('interactive-widget=resizes-content');
  expect(viewport).toContain('viewport-fit=cover');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setSafeAreaInsetsOverride', {
    insets: { top: 44, bottom: 34, left: 0, right: 0 },
  });
  const topOf = async (name: string) => (await boxOf(page.getByRole('button', { name }))).y;
  await expect.poll(() => topOf('New conversation')).toBeGreaterThanOrEqual(44);
  await startWith(page, ben.name);
  await say(page, 'hello');
  await expect.poll(() => topOf('Back')).toBeGreaterThanOrEqual(44);
  const bottom = async () => {
    const { y, height } = await boxOf(page.getByRole('button', { name: 'Send' }));
    return y + height;
  };
  await expect.poll(bottom).toBeLessThanOrEqual(740 - 34);
  // Above the keyboard, the box and the newest message stay visible.
  await page.setViewportSize({ width: 360, height: 380 });
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeInViewport();
  await expect(messages(page).getByText('hello')).toBeInViewport();
});
