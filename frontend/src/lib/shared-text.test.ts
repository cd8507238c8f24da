import { describe, expect, it } from 'vitest';
import { sharedText } from './shared-text';

function form(fields: Record<string, string | Blob>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

describe('shared content', () => {
  it('is title, text and address, each once', () => {
    expect(sharedText(form({ title: 'A page', text: 'Look', url: 'https://example.org/' }))).toBe(
      'A page\nLook\nhttps://example.org/',
    );
    const twice = { title: 'Look', text: 'Look', url: 'https://example.org/' };
    expect(sharedText(form(twice))).toBe('Look\nhttps://example.org/');
    expect(sharedText(form({ text: 'See https://example.org/', url: 'https://example.org/' }))).toBe(
      'See https://example.org/',
    );
  });

  it('is plain text, even when it looks like something else', () => {
    const html = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
    expect(sharedText(form({ text: html }))).toBe(html);
  });

  it('contains nothing that a message may not contain, and no more than its limit', () => {
    expect(sharedText(form({ text: 'a\0b\u001bc\r\nd\te \ud800 f' }))).toBe('abc\nd\te \ufffd f');
    expect([...sharedText(form({ text: '👍'.repeat(20_000) }))]).toHaveLength(10_000);
    expect(sharedText(form({ text: 'x'.repeat(50_000), url: 'https://example.org/' }))).toBe(
      'x'.repeat(10_000),
    );
  });

  it('is empty when there is nothing to share', () => {
    expect(sharedText(form({}))).toBe('');
    expect(sharedText(form({ title: ' \n', text: '\u0007', file: new Blob(['x']) }))).toBe('');
    expect(sharedText(form({ text: new Blob(['a file']) }))).toBe('');
  });
});
