import { render } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import Markdown from './Markdown';

function html(text: string): string {
  return render(<Markdown text={text} />).container.innerHTML;
}

describe('Markdown', () => {
  it('renders common Markdown', () => {
    expect(html('**bold** and `code`')).toContain('<strong>bold</strong> and <code>code</code>');
    expect(html('- one\n- two')).toContain('<li>one</li>');
    expect(html('ask @anna now')).toContain('<span class="mention">@anna</span>');
  });

  it.each([
    ['~~gone~~ ~kept~', '<s>gone</s> ~kept~'],
    ['a line\nand another', 'a line\nand another'],
    ['ends hard\\\nhere', 'ends hard<br>here'],
    ['3. three\n4. four', '<ol start="3">'],
    [
      '- [x] done\n- [ ] open',
      '<ul class="contains-task-list"><li><span aria-hidden="true">☑ </span>done</li>',
    ],
    ['|a|b|\n|-|:-:|\n|1|2|', '<td style="text-align: center;">2</td>'],
    ['    indented', '<code>indented\n</code>'],
    ['`@anna` [@anna](https://a.example)', '<code>@anna</code> <a href="https://a.example"'],
    ['&lt;b&gt; \\*', '&lt;b&gt; *'],
    ['AT&T &amp; Co', 'AT&amp;T &amp; Co'],
    ['[x](<a b>)', 'href="a%20b"'],
  ])('renders %j', (text, expected) => {
    expect(html(text)).toContain(expected);
  });

  it.each([
    ['see https://example.org/a_b_c.', 'https://example.org/a_b_c'],
    ['see www.example.org/x)', 'http://www.example.org/x'],
    ['write to anna@example.org now', 'mailto:anna@example.org'],
    ['<https://example.org>', 'https://example.org'],
    ['https://xn--80ak6aa92e.com', 'https://xn--80ak6aa92e.com'],
  ])('turns URLs into links: %s', (text, href) => {
    const { container } = render(<Markdown text={text} />);
    expect(container.querySelector('a')?.getAttribute('href')).toBe(href);
    expect(text).toContain(container.querySelector('a')?.textContent ?? '?');
  });

  it.each(['notes.txt and main.py', 'file:///etc/passwd', 'ftp://example.org', '//example.org', 'www.'])(
    'makes no link of %s',
    (text) => {
      expect(html(`${text} *`)).not.toContain('<a');
    },
  );

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

  it('loads no image from another server', () => {
    const { container } = render(<Markdown text="![cat](https://example.org/cat.png)" />);
    expect(container.querySelector('img')).toBeNull();
    expect(container.querySelector('a')?.textContent).toBe('cat');
  });
});
