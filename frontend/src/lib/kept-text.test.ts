import { expect, it } from 'vitest';
import { keptText } from './kept-text';

it('is available on the next page, until it is removed', () => {
  keptText(() => sessionStorage, 'a').set('one');
  keptText(() => sessionStorage, 'b').set('two');
  const again = keptText(() => sessionStorage, 'a');
  expect(again.get()).toBe('one');
  again.set(null);
  expect(again.get()).toBeNull();
  expect(sessionStorage.getItem('b')).toBe('two');
});

it('lasts as long as the page when the browser stores nothing', () => {
  const kept = keptText(() => {
    throw new DOMException('Not allowed.', 'SecurityError');
  }, 'a');
  expect(kept.get()).toBeNull();
  kept.set('one');
  expect(kept.get()).toBe('one');
});
