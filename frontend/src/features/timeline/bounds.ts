/**
 * Limits for rendering a text; beyond them it is shown as plain text. Other users write these texts, so every step is
 * bounded: nesting of containers and size of tables before parsing, depth and size of the result after it.
 */

/** Nested quotes and lists. Users rarely nest more than three. */
export const MAX_CONTAINERS = 8;
/** Nested elements, emphasis included. React and the browser walk them recursively. */
export const MAX_DEPTH = 32;
/** Elements of one message: the browser needs longer than a frame for more. */
export const MAX_ELEMENTS = 2_500;
/** Columns of a table times the lines of the message: the parser fills short rows with empty cells. */
const MAX_CELLS = 3_000;
/** UTF-16 units. A message has at most 10,000 code points. */
const MAX_LENGTH = 20_000;
const MAX_LINES = 2_000;
/** Each `[` may start a link, and the parser searches for its end. */
const MAX_BRACKETS = 2_000;
/** Possible starts of URLs, which are checked one by one. */
const MAX_ADDRESSES = 250;

const SPACE = 32;
const TAB = 9;

/** Whether a text is within the limits that need no parsing. Reads each character once. */
export function isParsable(text: string): boolean {
  if (text.length > MAX_LENGTH) return false;
  const lines = text.split('\n');
  if (lines.length > MAX_LINES || countOf(text, /\[/g) > MAX_BRACKETS) return false;
  let columns = 0;
  for (const line of lines) {
    if (containers(line) > MAX_CONTAINERS) return false;
    columns = Math.max(columns, delimiterColumns(line));
  }
  return columns * lines.length <= MAX_CELLS;
}

/** Whether URLs in a text become links. */
export function hasFewAddresses(text: string): boolean {
  return countOf(text, /@|:\/\/|www\./gi) <= MAX_ADDRESSES;
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** Returns how many quotes and lists a line opens or continues at its start. */
function containers(line: string): number {
  let count = 0;
  let at = 0;
  while (at < line.length) {
    const length = markerLength(line, at);
    if (length === 0) return count;
    if (length > 0 && line.charCodeAt(at) !== SPACE && line.charCodeAt(at) !== TAB) count += 1;
    at += length;
  }
  return count;
}

/** Returns the length of the space, quote mark or list mark at `at`; 0 for anything else. */
function markerLength(line: string, at: number): number {
  const code = line.charCodeAt(at);
  if (code === SPACE || code === TAB) return 1;
  const char = line[at] ?? '';
  if (char === '>') return 1;
  if ('-+*'.includes(char)) return endsMarker(line, at + 1) ? 1 : 0;
  let digits = 0;
  while (digits < 10 && /\d/.test(line[at + digits] ?? '')) digits += 1;
  const closes = digits > 0 && digits < 10 && '.)'.includes(line[at + digits] ?? ' ');
  return closes && endsMarker(line, at + digits + 1) ? digits + 1 : 0;
}

function endsMarker(line: string, at: number): boolean {
  const code = line.charCodeAt(at);
  return Number.isNaN(code) || code === SPACE || code === TAB;
}

/** Returns the columns that a line like `|---|:-:|` gives a table; 0 for any other line. */
function delimiterColumns(line: string): number {
  if (!/^[-:|>+*\s\d.)]*$/.test(line) || !line.includes('-')) return 0;
  return line.split('|').length;
}

/** UTF-16 units of highlighted code in one message. The grammars take more than linear time for some texts. */
export const MAX_HIGHLIGHTED = 3_000;

/** Whether code can be highlighted within a frame: no long line, and no run that grammars scan repeatedly. */
export function isHighlightable(code: string): boolean {
  return code.length <= MAX_HIGHLIGHTED && !/\w{64}|\s{64}|(\W)\1{63}|[^\n]{300}/.test(code);
}
