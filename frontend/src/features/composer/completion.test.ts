import { describe, expect, it } from 'vitest';
import { complete, findTrigger, wrap } from './completion';

describe('completion', () => {
  it('starts at a sign that starts a word', () => {
    expect(findTrigger('hi @an', 6)).toMatchObject({ kind: 'mention', query: 'an', start: 3 });
    expect(findTrigger('mail@an', 7)).toBeNull();
    expect(findTrigger(':smi', 4)).toMatchObject({ kind: 'emoji', query: 'smi' });
    expect(findTrigger('12:30', 5)).toBeNull();
    expect(findTrigger('@', 1)).toMatchObject({ query: '' });
  });

  it('inserts the choice and puts the caret after it', () => {
    const trigger = findTrigger('hi @an there', 6);
    if (trigger === null) throw new Error('no trigger');
    expect(complete('hi @an there', trigger, '@anna')).toEqual({ text: 'hi @anna there', caret: 9 });
  });
});

describe('formatting', () => {
  it('can be applied and removed', () => {
    const on = wrap('a word here', 2, 6, '**');
    expect(on).toEqual({ text: 'a **word** here', start: 4, end: 8 });
    expect(wrap(on.text, on.start, on.end, '**')).toEqual({ text: 'a word here', start: 2, end: 6 });
  });
});
