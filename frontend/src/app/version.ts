/**
 * Notices that the server gives out another version of this page, newer or older, says so, and loads it once: not in
 * the middle of a sentence, and never twice for the same version, or a cache that will not let go would make a page
 * that loads for ever.
 */
import type { Clock } from '@/lib/clock';
import { keptText } from '@/lib/kept-text';

export interface VersionParts {
  /** The build that runs; null where there is none (development). */
  running: string | null;
  /** The build that the server gives out now; null when it cannot be told. Never rejects. */
  served: () => Promise<string | null>;
  /** Something would be lost or disturbed. */
  busy: () => boolean;
  say: () => void;
  reload: () => void;
  /** Outlives the reload: for which build it was done. */
  done: { get(): string | null; set(build: string): void };
  clock: Clock;
}

const LOOK_AGAIN_MS = 3_000;

export class VersionWatch {
  readonly #parts: VersionParts;
  #waiting = false;

  constructor(parts: VersionParts) {
    this.#parts = parts;
  }

  /** To be called when the connection is back: that is when a server may have been replaced. */
  async check(): Promise<void> {
    const { running, served, say } = this.#parts;
    if (running === null || this.#waiting) return;
    const now = await served();
    if (now === null || now === running || this.#waiting) return;
    say();
    this.#reloadOnce(now);
  }

  /** The server does not understand this page, whatever version it says it is. */
  misunderstood(): void {
    this.#reloadOnce(`${this.#parts.running}, not understood`);
  }

  #reloadOnce(build: string): void {
    const { done, busy, reload, clock } = this.#parts;
    if (done.get() === build) return;
    this.#waiting = true;
    // Later in any case, so that what was said can be read.
    clock.after(LOOK_AGAIN_MS, () => {
      if (busy()) {
        this.#reloadOnce(build);
        return;
      }
      done.set(build);
      reload();
    });
  }
}

/** The script that a page begins with; its name holds a hash of all that it is made of. */
export function buildOf(html: string): string | null {
  return /<script[^>]+src="[^"]*?(assets\/index-[^"/]+\.js)"/.exec(html)?.[1] ?? null;
}

const DONE = 'chat-mvp.reloaded-for';

/** The page that runs in this window. */
export function watchThisPage(parts: Pick<VersionParts, 'say' | 'clock'>): VersionWatch {
  return new VersionWatch({
    ...parts,
    running: buildOf(document.documentElement.outerHTML),
    served: async () => {
      try {
        // With a query, or the service worker would answer with the page it keeps.
        const answer = await fetch('./?version', { cache: 'no-store', headers: { accept: 'text/html' } });
        return answer.ok ? buildOf(await answer.text()) : null;
      } catch {
        return null;
      }
    },
    busy: () => document.querySelector('dialog[open]') !== null || isWriting(document.activeElement),
    reload: () => location.reload(),
    // Only a browser that keeps nothing for a tab could load again more than once, and then every 3 s at most.
    done: keptText(() => sessionStorage, DONE),
  });
}

function isWriting(element: Element | null): boolean {
  return (
    (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) && element.value !== ''
  );
}
