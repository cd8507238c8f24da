import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import Markdown from './Markdown';

function html(text: string): string {
  return render(<Markdown text={text} />).container.innerHTML;
}

describe('Markdown', () => {
  it('renders what people use', () => {
    expect(html('**bold** and `code`')).toContain('<strong>bold</strong> and <code>code</code>');
    expect(html('- one\n- two')).toContain('<li>one</li>');
    expect(html('ask @anna now')).toContain('<span class="mention">@anna</span>');
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](data:text/html,<script>alert(1)</script>)',
    '![x](javascript:alert(1))',
    '<a href="javascript:alert(1)">x</a>',
    '[x](vbscript:alert(1))',
  ])('makes %s harmless', (text) => {
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector('script, img, iframe, [onerror]')).toBeNull();
    for (const link of container.querySelectorAll('a')) {
      expect(link.getAttribute('href') ?? '').not.toMatch(/^(javascript|data|vbscript):/i);
    }
  });

  it('loads no picture that a stranger names', () => {
    const { container } = render(<Markdown text="![cat](https://example.org/cat.png)" />);
    expect(container.querySelector('img')).toBeNull();
    expect(container.querySelector('a')?.textContent).toBe('cat');
  });
});
