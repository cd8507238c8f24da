/** Estimates the height of a text without rendering it. */

/** Of a message on a wide screen. */
const LINE_CHARS = 80;
/** More lines than this fill several screens. */
const MANY_LINES = 100;
/** The number of lines shown of such a text; must match `.tall` in prose.css. */
const SHOWN_LINES = 30;

/** Estimates the number of lines of a source text. */
function lineCount(text: string): number {
  let lines = 0;
  for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / LINE_CHARS));
  return lines;
}

/** Whether only the beginning of a text is shown until the user expands it. */
export function isTall(text: string): boolean {
  return lineCount(text) > MANY_LINES;
}

/** Estimates the number of visible lines of a text, including the button below it. */
export function shownLines(text: string): number {
  const lines = lineCount(text);
  return lines > MANY_LINES ? SHOWN_LINES + 1.5 : lines;
}
