/** How high a text will be, told without drawing it. */

/** Of a message on a wide screen. */
const LINE_CHARS = 80;
/** More lines than this are several screens. */
const MANY_LINES = 100;
/** What is shown of so many; `.tall` in prose.css says the same. */
const SHOWN_LINES = 30;

/** About how many lines a text takes as it was written. */
function lineCount(text: string): number {
  let lines = 0;
  for (const line of text.split('\n')) lines += Math.max(1, Math.ceil(line.length / LINE_CHARS));
  return lines;
}

/** Whether only the beginning of a text is shown until the reader asks for the rest. */
export function isTall(text: string): boolean {
  return lineCount(text) > MANY_LINES;
}

/** About how many lines are shown of a text, the button below it included. */
export function shownLines(text: string): number {
  const lines = lineCount(text);
  return lines > MANY_LINES ? SHOWN_LINES + 1.5 : lines;
}
