/**
 * Records inside the page when a text of the form `probe-7-` is sent, received, rendered and painted. Times are
 * milliseconds since the epoch with fractions, so that two pages can be compared.
 */
import type { BrowserContext, Page } from '@playwright/test';

export interface Times {
  key: number;
  sent: number;
  acked: number;
  received: number;
  drawn: number;
  painted: number;
}

export interface Stopwatch {
  /** Resolves in the task after the next paint: a position read then is the visible one. */
  afterPaint(): Promise<void>;
  now(): number;
  times: Record<string, Partial<Times>>;
}

declare global {
  interface Window {
    __stopwatch: Stopwatch;
  }
}

/** Installs `__stopwatch` in every page that the context opens from now on. */
export async function installStopwatch(context: BrowserContext): Promise<void> {
  await context.addInitScript(inPage);
}

/** Returns the times of one text; waits until it is painted. */
export async function timesOf(page: Page, text: string): Promise<Partial<Times>> {
  const painted = await page.waitForFunction((name) => {
    const times = window.__stopwatch.times[name];
    return times?.painted === undefined ? null : times;
  }, text);
  return (await painted.jsonValue()) as Partial<Times>;
}

function inPage(): void {
  const now = () => performance.timeOrigin + performance.now();
  const times: Record<string, Partial<Times>> = {};
  const nameOf: Record<string, string> = {};
  // Before all other queued tasks, like the server's answer: an own message would come after it and after further
  // paints.
  const afterPaint = () =>
    new Promise<void>((resolve) => {
      requestAnimationFrame(() => {
        void scheduler.postTask(resolve, { priority: 'user-blocking' });
      });
    });
  const probeIn = (text: string) => /probe-\d+-/.exec(text)?.[0];
  const note = (name: string | undefined, what: keyof Times, at = now()) => {
    if (name === undefined) return;
    times[name] ??= {};
    times[name][what] ??= at;
  };
  const idIn = (data: string) => /"client_message_id":"([^"]+)"/.exec(data)?.[1] ?? '';

  let pressed = 0;
  window.addEventListener(
    'keydown',
    (event) => {
      // When the browser received the key, not when the page handled it.
      if (event.key === 'Enter') pressed = performance.timeOrigin + event.timeStamp;
    },
    true,
  );
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (typeof data === 'string' && data.includes('"message.send"')) {
      const name = probeIn(data);
      if (name !== undefined) nameOf[idIn(data)] = name;
      note(name, 'sent');
    }
    send.call(this, data);
  };
  const Native = WebSocket;
  window.WebSocket = class extends Native {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string') return;
        if (data.includes('"message.ack"')) note(nameOf[idIn(data)], 'acked');
        else if (data.includes('"message.new"')) note(probeIn(data), 'received');
      });
    }
  };

  const shows = (name: string) => {
    const feed = document.querySelector('[role="feed"]');
    if (feed === null) return false;
    const row = [...feed.querySelectorAll('article')].findLast((one) => one.textContent?.includes(name));
    return row !== undefined && row.getBoundingClientRect().bottom <= feed.getBoundingClientRect().bottom + 1;
  };
  const watchPaint = async (name: string) => {
    // Recorded before measuring: reading positions forces a layout, which is not part of that paint.
    let at: number;
    do {
      await afterPaint();
      at = now();
    } while (!shows(name));
    note(name, 'painted', at);
  };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) {
        if (!(node instanceof Element) || node.closest('[role="feed"]') === null) continue;
        const name = probeIn(node.textContent ?? '');
        if (name === undefined || times[name]?.drawn !== undefined) continue;
        note(name, 'drawn');
        // On the sending page, not where it was only received.
        if (pressed > 0) note(name, 'key', pressed);
        void watchPaint(name);
      }
    }
  }).observe(document, { subtree: true, childList: true });

  window.__stopwatch = { afterPaint, now, times };
}
