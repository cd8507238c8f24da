/** Emoji by name, loaded when first needed. */

export type EmojiGroup =
  | 'smileys'
  | 'people'
  | 'nature'
  | 'food'
  | 'travel'
  | 'activities'
  | 'objects'
  | 'symbols'
  | 'flags';

export interface Emoji {
  char: string;
  label: string;
  group: EmojiGroup;
  names: string[];
  /** All search terms, in lower case. */
  words: string[];
}

let loading: Promise<Emoji[]> | null = null;
let loaded: Emoji[] | null = null;

export function loadEmoji(): Promise<Emoji[]> {
  loading ??= import('virtual:emoji-data').then(({ default: rows }) => {
    loaded = rows.map(([char, label, group, names, tags]) => ({
      char,
      label,
      group,
      names,
      words: [...names, ...label.toLowerCase().split(/[\s:,]+/), ...tags].map((word) => word.toLowerCase()),
    }));
    return loaded;
  });
  return loading;
}

/** Returns null before `loadEmoji` has been awaited once. */
export function emojiIfLoaded(): Emoji[] | null {
  return loaded;
}

/** Best matches first: names that start with the query, then those with a word prefix for every word of it. */
export function searchEmoji(all: readonly Emoji[], query: string, limit = Number.POSITIVE_INFINITY): Emoji[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return all.slice(0, limit);
  const parts = wanted.split(/\s+/);
  const asName = parts.join('_');
  const rank = (one: Emoji): number => {
    if (one.names.includes(asName)) return 0;
    if (one.names.some((name) => name.startsWith(asName))) return 1;
    return parts.every((part) => one.words.some((word) => word.startsWith(part))) ? 2 : 3;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((pair) => pair.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map((pair) => pair.one);
}

export function emojiByName(all: readonly Emoji[], name: string): string | null {
  return all.find((one) => one.names.includes(name))?.char ?? null;
}
