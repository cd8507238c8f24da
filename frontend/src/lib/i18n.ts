/** Texts in the user's language. English is part of the first load, others are loaded when chosen. */
import { type Catalogue, en, type TextKey } from '@/locales/en';

export type Language = 'en' | 'de';
export const LANGUAGES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

type Params<Key extends TextKey> = Catalogue[Key] extends (...args: infer Args) => string ? Args : [];
export type Translate = <Key extends TextKey>(key: Key, ...params: Params<Key>) => string;

export interface I18n {
  language: Language;
  t: Translate;
  /** Returns the text of a key that was built at run time, or null. */
  maybe: (key: string) => string | null;
}

export async function loadLanguage(language: Language): Promise<I18n> {
  const catalogue: Catalogue = language === 'de' ? (await import('@/locales/de')).de : en;
  return makeI18n(language, catalogue);
}

function makeI18n(language: Language, catalogue: Catalogue): I18n {
  const t: Translate = (key, ...params) => {
    const text = catalogue[key] as string | ((...args: readonly unknown[]) => string);
    return typeof text === 'string' ? text : text(...params);
  };
  const maybe = (key: string) => {
    const text = (catalogue as Record<string, unknown>)[key];
    return typeof text === 'string' ? text : null;
  };
  return { language, t, maybe };
}

export const ENGLISH: I18n = makeI18n('en', en);

/** Returns the browser's preferred language that has a catalogue. */
export function preferredLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const code = wish.slice(0, 2).toLowerCase();
    if (code === 'en' || code === 'de') return code;
  }
  return 'en';
}
