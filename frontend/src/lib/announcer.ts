/**
 * The only polite live region of the page. A virtualised list must not be a live region itself, because rows that
 * appear while scrolling would be read aloud. Texts within a short time are announced together; of many, only their
 * number and the last ones.
 */
import type { Clock } from './clock';

const GATHER_MS = 400;
/** Then the text is removed, so that a screen reader does not find it again at the end of the page. */
const GONE_AFTER_MS = 5_000;
/** More than this at once is noise. */
const MOST = 3;

export class Announcer {
  readonly #clock: Clock;
  #element: HTMLElement | null = null;
  #waiting: string[] = [];
  #scheduled = false;
  #stay: () => void = () => undefined;
  /** The text for the ones that are left out. */
  #more: (count: number) => string = () => '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  attach(element: HTMLElement | null): void {
    this.#element = element;
  }

  /** `more` returns a text with the number of earlier ones that are left out when too many arrive. */
  say(text: string, more: (count: number) => string): void {
    this.#waiting.push(text);
    this.#more = more;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.after(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const all = this.#waiting;
    this.#waiting = [];
    const said = all.length <= MOST ? all : [this.#more(all.length - MOST + 1), ...all.slice(-MOST + 1)];
    const text = said.join('. ');
    // The same text again would be no change, and nothing would be announced.
    this.#show(this.#element?.textContent === text ? `${text}\u00A0` : text);
    this.#stay();
    this.#stay = this.#clock.after(GONE_AFTER_MS, () => this.#show(''));
  }

  #show(text: string): void {
    if (this.#element !== null) this.#element.textContent = text;
  }
}
