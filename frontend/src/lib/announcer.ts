/**
 * The one polite live region of the page. A virtualised list must not be one itself: rows that come and go while
 * scrolling would be read aloud. Several announcements in a moment become one.
 */
const GATHER_MS = 300;
/** More than this at once is noise. */
const MOST = 3;

export class Announcer {
  #element: HTMLElement | null = null;
  #waiting: string[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  attach(element: HTMLElement | null): void {
    this.#element = element;
  }

  say(text: string): void {
    this.#waiting.push(text);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    this.#timer = null;
    const said = this.#waiting.slice(-MOST);
    this.#waiting = [];
    if (this.#element !== null) this.#element.textContent = said.join('. ');
  }
}
