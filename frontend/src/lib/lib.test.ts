import { describe, expect, it } from 'vitest';
import { de } from '@/locales/de';
import { en } from '@/locales/en';
import { preferredLanguage } from './i18n';
import { uuidv7 } from './ids';
import { codePoints, findInText, isVisible, matches, oneLine, searchTerms, snippet } from './text';

describe('texts', () => {
  it('count what the protocol counts', () => {
    expect(codePoints('a👍🏽é')).toBe(4);
  });

  it('know what can be seen', () => {
    expect(isVisible('  \n\u200B\u2060 ')).toBe(false);
    expect(isVisible('👍')).toBe(true);
    expect(isVisible('.')).toBe(true);
  });

  it('become one line without marks', () => {
    expect(oneLine('**Hello**\n\n`world`')).toBe('Hello world');
    expect(oneLine('x'.repeat(300))).toHaveLength(140);
  });

  it('are found by the beginning of any word, without accents', () => {
    expect(matches('Léa Martin', 'lea')).toBe(true);
    expect(matches('Léa Martin', 'mar')).toBe(true);
    expect(matches('Léa Martin', 'tin')).toBe(false);
  });

  it('are searched word by word, and anywhere in scripts without spaces', () => {
    const fits = (text: string, query: string) => findInText(text, searchTerms(query)) !== null;
    expect(fits('Bring the (blue) paint', 'blue pai')).toBe(true);
    expect(fits('Bring the (blue) paint', 'aint')).toBe(false);
    expect(fits('明日公園で会いましょう', '公園')).toBe(true);
  });

  it('show the part that was searched for', () => {
    const long = `${'many words before it '.repeat(6)}and then the needle, with something after`;
    expect(snippet(long, 'needle')).toMatch(/^….*needle/);
    expect(snippet(long, 'needle').length).toBeLessThan(long.length);
    expect(snippet('short **needle**', 'needle')).toBe('short needle');
  });
});

describe('ids', () => {
  it('sort by the time they were made and never meet', () => {
    const ids = Array.from({ length: 500 }, (_, index) => uuidv7(1_700_000_000_000 + index));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(500);
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('languages', () => {
  it('all say everything', () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  });

  it('follow the browser', () => {
    expect(preferredLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(preferredLanguage(['fr-FR'])).toBe('en');
  });
});
