import { expect, it } from 'vitest';
import { keptText } from './kept-text';

it('is there again on the next page, until it is taken away', () => {
  keptText(() => sessionStorage, 'a').set('one');
  keptText(() => sessionStorage, 'b').set('two');
  const again = keptText(() => sessionStorage, 'a');
  expect(again.get()).toBe('one');
  again.set(null);
  expect(again.get()).toBeNull();
  expect(sessionStorage.getItem('b')).toBe('two');
});

it('lasts as long as the page where the browser keeps nothing', () => {
  const kept = keptText(() => {
    throw new DOMException('Not allowed.', 'SecurityError');
  }, 'a');
  expect(kept.get()).toBeNull();
  kept.set('one');
  expect(kept.get()).toBe('one');
});
