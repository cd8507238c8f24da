/** Highlights the same names that the server treats as mentions: both use one table of examples. */
import { readFileSync } from 'node:fs';
import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import Markdown from './Markdown';

interface Example {
  text: string;
  mentions: string[];
}

const examples = JSON.parse(readFileSync('../tests/mentions.json', 'utf8')) as Example[];

/** A full stop, a hyphen or an underscore may end a name or the sentence. */
function mentionsShown(text: string): string[] {
  const { container } = render(<Markdown text={text} />);
  return [...container.querySelectorAll('.mention')].map((one) =>
    (one.textContent ?? '').replace(/^@/, '').replace(/[._-]+$/, ''),
  );
}

describe('mentions', () => {
  it('have examples', () => {
    expect(examples.length).toBeGreaterThan(100);
  });

  it.each(examples)('of $text', ({ text, mentions }) => {
    expect(mentionsShown(text)).toEqual(mentions);
  });
});
