import { describe, expect, it } from 'vitest';
import { de } from '@/locales/de';
import { en } from '@/locales/en';
import { preferredLanguage } from './i18n';
import { uuidv7 } from './ids';
import {
  codePoints,
  findInText,
  fold,
  isUnbroken,
  isVisible,
  lineOf,
  matches,
  nameText,
  oneLine,
  searchTerms,
  shownText,
  snippet,
} from './text';

describe('texts', () => {
  it('are counted as the protocol counts them', () => {
    expect(codePoints('a👍🏽é')).toBe(4);
  });

  it('are recognised as visible or not', () => {
    expect(isVisible('  \n\u200B\u2060 ')).toBe(false);
    expect(isVisible('👍')).toBe(true);
    expect(isVisible('.')).toBe(true);
  });

  it('become one line without marks', () => {
    expect(oneLine('**Hello**\n\n`world`')).toBe('Hello world');
    expect(oneLine('x'.repeat(300))).toHaveLength(140);
    expect(oneLine('_so_ __much__ ~~less~~ ***both***')).toBe('so much less both');
  });

  it('keep characters that only look like marks: in names, code and numbers', () => {
    expect(oneLine('@ada_uno wrote snake_case in ~/a_b for ~5')).toBe(
      '@ada_uno wrote snake_case in ~/a_b for ~5',
    );
    const text = '\u2068Ada\u2069 created “\u2068the *big* _one_\u2069”';
    expect(lineOf({ kind: 'system', text })).toBe(text);
    expect(lineOf({ kind: 'text', text: '*big* _one_' })).toBe('big one');
  });

  it('that were cut leave no open direction and no half character', () => {
    expect(oneLine(`\u2068${'x'.repeat(300)}\u2069`)).toMatch(/x\u2069…$/);
    expect(oneLine('\u2068Anna\u2069 left')).toBe('\u2068Anna\u2069 left');
    expect(oneLine('\u202Eabc')).toBe('\u202Eabc\u202C');
    expect(oneLine('😀'.repeat(100), 10)).toBe('😀😀😀😀…');
  });

  it('do not overlap the lines around them', () => {
    expect(oneLine(`Z${'\u0301\u0316'.repeat(50)}a`)).toBe('Z\u0301\u0316\u0301\u0316a');
    expect(nameText(`Z${'\u0301'.repeat(90)}`)).toBe('Z\u0301\u0301\u0301\u0301');
    expect(nameText('Anna\nBerta')).toBe('Anna Berta');
    expect(nameText('\u2067שרה')).toBe('\u2067שרה\u2069');
    expect(nameText('Nguyễn Thị')).toBe('Nguyễn Thị');
  });

  it('of messages keep the marks of every language, but not stacks of them', () => {
    for (const text of ['Nguyễn Thị'.normalize('NFD'), 'क्षत्रियों की', 'בְּרֵאשִׁ֖ית', 'ที่นี่', 'བསྒྲུབས'])
      expect(shownText(text.repeat(500))).toBe(text.repeat(500));
    expect(shownText(`Z${'\u0301'.repeat(90)}`)).toBe(`Z${'\u0301'.repeat(8)}`);
    const heaps = `a${'\u0301\u0489'.repeat(8)} `.repeat(500);
    expect(shownText(heaps)).toBe('a\u0301\u0489 '.repeat(500));
    expect(isUnbroken('a'.repeat(299))).toBe(false);
    expect(isUnbroken(`see ${'[a]('.repeat(100)} there`)).toBe(true);
  });

  it('are folded whatever marks they have', () => {
    expect(fold('Ǖber Ａ')).toBe('uber a');
    expect(fold('A\u0301ﾞe\u0316\u0301')).toBe('ae');
  });

  it('are found by the prefix of any word, without accents', () => {
    expect(matches('Léa Martin', 'lea')).toBe(true);
    expect(matches('Léa Martin', 'mar')).toBe(true);
    expect(matches('Léa Martin', 'tin')).toBe(false);
  });

  it.each([
    ['Işık', 'isik', 'ışık'],
    ['Łódź', 'lodz', 'ŁÓD'],
    ['Søren', 'soren', 'SØ'],
    ['Æther Œuvre', 'aether', 'oeuvre'],
    ['Þórður', 'thordur', 'ÞÓR'],
    ['Straße', 'strasse', 'STRAẞE'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυς', 'Οδυσσευς'],
    ['Soren Lodz', 'søren', 'łódź'],
  ])('are found by special letters and by their replacements: %s', (name, ...queries) => {
    for (const query of queries) expect(matches(name, query)).toBe(true);
  });

  it('are searched word by word, and anywhere in scripts without spaces', () => {
    const fits = (text: string, query: string) => findInText(text, searchTerms(query)) !== null;
    expect(fits('Bring the (blue) paint', 'blue pai')).toBe(true);
    expect(fits('Bring the (blue) paint', 'aint')).toBe(false);
    expect(fits('明日公園で会いましょう', '公園')).toBe(true);
  });

  it('show the part that matches', () => {
    const long = `${'many words before it '.repeat(6)}and then the needle, with something after`;
    expect(snippet(long, 'needle')).toMatch(/^….*needle/);
    expect(snippet(long, 'needle').length).toBeLessThan(long.length);
    expect(snippet('short **needle**', 'needle')).toBe('short needle');
  });
});

describe('ids', () => {
  it('sort by creation time and never collide', () => {
    const ids = Array.from({ length: 500 }, (_, index) => uuidv7(1_700_000_000_000 + index));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(500);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('languages', () => {
  it('all have every text', () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  });

  it('follow the browser', () => {
    expect(preferredLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(preferredLanguage(['fr-FR'])).toBe('en');
  });
});
