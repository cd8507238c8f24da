/**
 * Detects that the server delivers another version of this page, newer or older, notifies the user and reloads once.
 * It does not reload while the user types, and never twice for the same version: a stale cache would otherwise cause
 * an endless reload.
 */
import type { Clock } from '@/lib/clock';
import { keptText } from '@/lib/kept-text';

export interface VersionParts {
  /** The id of the running build, or null in development. */
  running: string | null;
  /** Returns the build that the server delivers now; null when unknown. Never rejects. */
  served: () => Promise<string | null>;
  /** A reload would lose or interrupt something. */
  busy: () => boolean;
  say: () => void;
  reload: () => void;
  /** Survives the reload: the build for which it was done. */
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

  /** Call when the connection is back, because the server may have been replaced. */
  async check(): Promise<void> {
    const { running, served, say } = this.#parts;
    if (running === null || this.#waiting) return;
    const now = await served();
    if (now === null || now === running || this.#waiting) return;
    say();
    this.#reloadOnce(now);
  }

  /** The server does not understand this page, whatever version it reports. */
  misunderstood(): void {
    this.#reloadOnce(`${this.#parts.running}, not understood`);
  }

  #reloadOnce(build: string): void {
    const { done, busy, reload, clock } = this.#parts;
    if (done.get() === build) return;
    this.#waiting = true;
    // With a delay in any case, so that the user can read the notice.
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

/** The entry script of the page; its name contains a hash of its contents. */
export function buildOf(html: string): string | null {
  return /<script[^>]+src="[^"]*?(assets\/index-[^"/]+\.js)"/.exec(html)?.[1] ?? null;
}

const DONE = 'chat-mvp.reloaded-for';

/** The page in this window. */
export function watchThisPage(parts: Pick<VersionParts, 'say' | 'clock'>): VersionWatch {
  return new VersionWatch({
    ...parts,
    running: buildOf(document.documentElement.outerHTML),
    served: async () => {
      try {
        // With a query, or the service worker would answer with its cached page.
        const answer = await fetch('./?version', { cache: 'no-store', headers: { accept: 'text/html' } });
        return answer.ok ? buildOf(await answer.text()) : null;
      } catch {
        return null;
      }
    },
    busy: () => document.querySelector('dialog[open]') !== null || isWriting(document.activeElement),
    reload: () => location.reload(),
    // Only a browser without session storage could reload more than once, and then every 3 s at most.
    done: keptText(() => sessionStorage, DONE),
  });
}

function isWriting(element: Element | null): boolean {
  return (
    (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) && element.value !== ''
  );
}
