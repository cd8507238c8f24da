/** No text of another user breaks its message: it is rendered with bounded depth and size, and nothing is lost. */
import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { HOSTILE, hostileText, seeded } from '../../../test/hostile';
import { isHighlightable, MAX_DEPTH, MAX_ELEMENTS } from './bounds';
import Highlighted from './Highlighted';
import Markdown from './Markdown';
import { type Node, parseMarkdown } from './parseMarkdown';

/** Counts nested elements without recursion. */
function depthOf(nodes: readonly Node[]): number {
  let depth = 0;
  let level = nodes;
  while (level.length > 0) {
    const elements = level.filter((one) => typeof one === 'object');
    if (elements.length > 0) depth += 1;
    level = elements.flatMap((one) => one.children);
  }
  return depth;
}

function sizeOf(nodes: readonly Node[]): number {
  let count = 0;
  let level = nodes;
  while (level.length > 0) {
    const elements = level.filter((one) => typeof one === 'object');
    count += elements.length;
    level = elements.flatMap((one) => one.children);
  }
  return count;
}

function expectBounded(text: string): void {
  const nodes = parseMarkdown(text);
  if (nodes === null) return;
  expect(depthOf(nodes)).toBeLessThan(MAX_DEPTH);
  // The box of a task adds one element.
  expect(sizeOf(nodes)).toBeLessThanOrEqual(MAX_ELEMENTS * 2);
}

describe('a hostile text', () => {
  it.each(Object.entries(HOSTILE))('is drawn within bounds: %s', (_, text) => {
    expect([...text].length).toBeLessThanOrEqual(10_000);
    expectBounded(text);
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector('.prose')).not.toBeNull();
    expect(container.querySelector('script, img, iframe, [onerror]')).toBeNull();
  });

  it.each([
    `${'>'.repeat(2_100)}x`,
    '1. '.repeat(2_000),
    '- '.repeat(1_200),
    `${'> '.repeat(400)}deep down`,
    `${'*'.repeat(500)}deep down${'*'.repeat(500)}`,
    Array.from({ length: 120 }, (_, depth) => `${' '.repeat(depth * 2)}- level ${depth}`).join('\n'),
  ])('beyond the limits is shown as it was written (%#)', (text) => {
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector('.prose > p')?.textContent).toBe(text);
  });

  it.each([
    '---',
    '*'.repeat(9_000),
    '`'.repeat(5_000),
    '```js\n\n```',
    '#',
    '> ',
    '[](https://example.org)',
    '|a|\n|-|'.replace('a', ' '),
  ])('with only markup is shown as it was written (%#)', (text) => {
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector('.prose')?.textContent?.trim()).toBe(text.trim());
  });

  it('of any kind, generated from a seed, is rendered within bounds', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const text = hostileText(seeded(seed), 2_000);
      expect(() => expectBounded(text), `seed ${seed}`).not.toThrow();
      const { container, unmount } = render(<Markdown text={text} />);
      expect(container.querySelector('.prose'), `seed ${seed}`).not.toBeNull();
      unmount();
    }
  });

  it('with normal nesting is still Markdown', () => {
    const { container } = render(<Markdown text={'> - one\n>   - two\n>     - **three**\n>\n> > said'} />);
    expect(container.querySelector('blockquote ul ul ul strong')?.textContent).toBe('three');
    expect(container.querySelector('blockquote blockquote')?.textContent).toContain('said');
  });

  it('of code is highlighted only when that is fast', () => {
    expect(isHighlightable('const a = 1;\n'.repeat(100))).toBe(true);
    expect(isHighlightable('a'.repeat(500))).toBe(false);
    expect(isHighlightable('\n'.repeat(500))).toBe(false);
    expect(isHighlightable('('.repeat(500))).toBe(false);
    expect(isHighlightable('a '.repeat(5_000))).toBe(false);
    const { container } = render(<Highlighted code="let a = '<b>';" language="js" />);
    expect(container.querySelector('b')).toBeNull();
  });
});
