/** The protocol counts Unicode code points, a JavaScript string counts UTF-16 units. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** At least one character that can be seen (protocol, limits). */
export function isVisible(text: string): boolean {
  return /[^\s\p{C}\p{Default_Ignorable_Code_Point}]/u.test(text);
}

/** One line for previews and announcements: no line breaks, no Markdown marks, at most `limit` characters. */
export function oneLine(text: string, limit = 140): string {
  const flat = text
    .slice(0, limit * 4)
    .replace(/```\w*\n?|[*_~`]{1,2}(?=\S)|(?<=\S)[*_~`]{1,2}/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length > limit ? `${flat.slice(0, limit - 1)}…` : flat;
}

/** For searching: without case and accents. */
export function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Every word of `query` begins some word of `text`. */
export function matches(text: string, query: string): boolean {
  const words = fold(text).split(/[\s._-]+/);
  return fold(query)
    .split(/\s+/)
    .filter(Boolean)
    .every((part) => words.some((word) => word.startsWith(part)) || fold(text).startsWith(part));
}
