/** Counts Unicode code points as the protocol does; a JavaScript string counts UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Returns the beginning of a text without splitting a character. */
export function firstCodePoints(text: string, most: number): string {
  return [...text].slice(0, most).join('');
}

/** Formats a number; above `most` as "999+". The server counts unread messages up to 1,000. */
export function countText(n: number, most = 999): string {
  return n > most ? `${most}+` : String(n);
}

/** Whether at least one character is visible (protocol, limits). */
export function isVisible(text: string): boolean {
  return /[^\s\p{C}\p{Default_Ignorable_Code_Point}]/u.test(text);
}

/** Marks of Markdown at the beginning or the end of a word. An underscore between letters is not one, as in a name. */
const MARKUP =
  /```\w*\n?|(?:[*`]{1,2}|~~)(?=\S)|(?<=\S)(?:[*`]{1,2}|~~)|(?<![\p{L}\p{N}])_{1,2}(?=\S)|(?<=\S)_{1,2}(?![\p{L}\p{N}])/gu;

/** Returns a text as one line without Markdown marks, for previews and announcements. */
export function oneLine(text: string, limit = 140): string {
  return flatLine(text.slice(0, limit * 4).replace(MARKUP, ''), limit);
}

/** Returns a message as one line. System messages are not Markdown: they contain names of users and groups. */
export function lineOf({ kind, text }: { kind: 'system' | 'text'; text: string }, limit = 140): string {
  return kind === 'system' ? flatLine(text, limit) : oneLine(text, limit);
}

/** No line breaks, and at most `limit` characters. */
function flatLine(text: string, limit: number): string {
  const flat = thinned(text.slice(0, limit * 4))
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length > limit ? `${whole(flat.slice(0, limit - 1))}…` : closed(flat);
}

/** The number of combining marks that a letter keeps in previews: Vietnamese and Hebrew need three. */
const MARKS = /(\p{M}{4})\p{M}+/gu;

/** Removes excess combining marks, which would overlap the lines above and below. */
function thinned(text: string): string {
  return text.replace(MARKS, '$1');
}

/** Matches letters with more marks than a script needs, when there are too many of them to be an accident. */
const HEAPS = /\p{M}{4,}/gu;
const MANY_HEAPS = 50;

/** Returns a message for display: a browser needs seconds to lay out ten thousand marks, and no language needs them. */
export function shownText(text: string): string {
  const heaps = text.match(HEAPS)?.length ?? 0;
  if (heaps === 0) return text;
  return heaps > MANY_HEAPS
    ? text.replace(/(\p{M}{2})\p{M}+/gu, '$1')
    : text.replace(/(\p{M}{8})\p{M}+/gu, '$1');
}

const UNBROKEN_LENGTH = 300;

/** Whether a text has a long part without a line break opportunity, as an address, code or a hostile text has. */
export function isUnbroken(text: string): boolean {
  return text.split(/\s+/).some((word) => word.length >= UNBROKEN_LENGTH);
}

/** Without half a surrogate pair at the end, and with every open text direction closed. */
function whole(text: string): string {
  return closed(text.replace(/[\uD800-\uDBFF]$/, ''));
}

const OPENING = /[\u2066-\u2068]/g;
const EMBEDDING = /[\u202A\u202B\u202D\u202E]/g;

/** Isolates a truncated or hostile text so that it cannot change the direction of the text after it. */
function closed(text: string): string {
  const isolates = count(text, OPENING) - count(text, /\u2069/g);
  const embeddings = count(text, EMBEDDING) - count(text, /\u202C/g);
  return text + '\u202C'.repeat(Math.max(0, embeddings)) + '\u2069'.repeat(Math.max(0, isolates));
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** What few names contain and what affects the text around them: stacked marks, direction marks, line breaks. */
const UNUSUAL = /\p{M}{4}|[\n\r\u2028\u2029\u202A-\u202E\u2066-\u2069]/u;

/** Returns the name of a user or a conversation, safe inside a sentence or a list. */
export function nameText(name: string): string {
  return UNUSUAL.test(name) ? closed(thinned(name).replace(/\s+/g, ' ')) : name;
}

/** Letters that Unicode does not decompose, mapped to what users type; the same as in the server's search. */
const OTHER_LETTERS =
  'a:ⱥɑ b:ƀƃɓ c:ƈȼɕ d:đƌȡɖɗð e:ɇⱸəǝɛ f:ƒ g:ǥɠɣ h:ħɦⱨ i:ıɨɩ j:ɉʝȷ k:ƙⱪꝁĸ l:łƚȴɫɬɭⱡꝉ m:ɱ n:ƞȵɲɳŋ o:øⱺꝋɔɵ p:ƥᵽꝑ q:ɋʠꝗ ' +
  'r:ɍɼɽɾ s:ȿʂ t:ŧƫƭȶʈⱦ u:ʉʊ v:ʋⱱⱴꝟ w:ⱳ y:ƴɏỿ z:ƶȥɀʐʑⱬʒ ae:æ oe:œ ss:ß th:þ σ:ς';
const PLAIN = new Map(
  OTHER_LETTERS.split(' ').flatMap((group) => {
    const [plain = '', letters = ''] = group.split(':');
    return [...letters].map((letter) => [letter, plain] as const);
  }),
);
const NOT_PLAIN = new RegExp(`[${[...PLAIN.keys()].join('')}]`, 'g');

/**
 * Folds case and accents for searching. Marks are removed first, because sorting a long run takes quadratic time, and
 * again afterwards, because accented letters are decomposed.
 */
export function fold(text: string): string {
  const lower = text.replace(/\p{M}/gu, '').normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return lower.replace(NOT_PLAIN, (letter) => PLAIN.get(letter) ?? letter);
}

/** Whether every word of `query` is a prefix of a word of `text`. */
export function matches(text: string, query: string): boolean {
  const words = fold(text).split(/[\s._-]+/);
  return fold(query)
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)) || fold(text).startsWith(part));
}

/** Scripts without spaces between words: a term may match anywhere. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Returns the words of a search, folded. */
export function searchTerms(query: string): string[] {
  return fold(query).split(/\s+/).filter(Boolean);
}

/** Returns the position of the first term in the folded text when every term begins a word of `text`, else null. */
export function findInText(text: string, terms: readonly string[]): number | null {
  const folded = fold(text);
  let first: number | null = null;
  for (const term of terms) {
    const at = UNSPACED.test(term) ? folded.indexOf(term) : wordStart(folded, term);
    if (at < 0) return null;
    first ??= at;
  }
  return first;
}

function wordStart(text: string, term: string): number {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '')) return at;
  }
  return -1;
}

/** The server ignores U+FE0F, which requests the colourful form, when it compares reactions. */
export function isSameEmoji(one: string, other: string): boolean {
  return one.replaceAll('\uFE0F', '') === other.replaceAll('\uFE0F', '');
}

const BEFORE = 24;

/** Returns one line of a message around the match. */
export function snippet(text: string, query: string, limit = 120): string {
  const flat = oneLine(text, 10_000);
  const at = findInText(flat, searchTerms(query)) ?? 0;
  if (at <= BEFORE * 2) return oneLine(flat, limit);
  // The folded text may be a little longer or shorter, which only moves the cut by some letters.
  return `…${oneLine(flat.slice(flat.indexOf(' ', at - BEFORE) + 1), limit)}`;
}
