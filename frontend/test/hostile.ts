/** Texts that another user could send to break a page: a table of known ones, and a seeded generator for more. */

/** Code points of a message, at most (protocol). */
const MOST = 10_000;

function filled(piece: string, length = MOST): string {
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
}

function indented(mark: string, step: number): string {
  return filled(Array.from({ length: 120 }, (_, depth) => `${' '.repeat(depth * step)}${mark}a`).join('\n'));
}

const SINGLES = [...'[`|*_(<!~\\]#>-+=@:&"\'.)^$%{}/;?'];

const PIECES = {
  'emphasis with text': '*a ',
  'emphasis of both kinds': '*a_ ',
  'strong begun': '**a*',
  'emphasis inside words': '_a*b',
  'strong inside words': 'a**b',
  'images begun': '![a](',
  'links begun': '[a](',
  'links with titles begun': '[a](b "',
  'links in angle brackets begun': '[a](<b',
  'links whose parentheses nest': '[a]((',
  references: '[a][b]',
  definitions: '[a]: b\n',
  'definitions with titles begun': '[a]: b "',
  footnotes: '[^a]',
  'tags begun': '<a ',
  'attributes begun': '<a href="',
  'comments begun': '<!--',
  'instructions begun': '<?',
  'sections begun': '<![CDATA[',
  tags: '<b>',
  'closing tags': '</a',
  'addresses in angle brackets': '<http://a',
  'www addresses': 'www.',
  'addresses with parentheses': 'www.a.b/(',
  addresses: 'http://a.b ',
  'addresses begun': 'http://',
  'mail addresses': 'a@b.c ',
  'mail addresses begun': 'a@',
  'mail names': 'a.b_c+',
  strikes: '~~a',
  'single tildes': '~a~',
  escapes: '\\*',
  entities: '&amp;',
  'numeric entities': '&#1;',
  'quotes and lists mixed': '> - 1. ',
  'quotes and lists without spaces': '>- ',
  'list items': '- a\n',
  'empty list items': '-\n',
  'loose list items': '- a\n\n',
  'numbered items': '1. a\n',
  'nested items on one line, again and again': `${'- '.repeat(8)}a\n`,
  'quoted lines': '> a\n',
  'separate quotes': '> a\n\n',
  'deep quotes, again and again': `${'>'.repeat(11)}a\n`,
  rules: '---\n',
  'underlined headings': 'a\n=\n',
  'lists or underlines': '-\n=\n',
  headings: '# a\n',
  lines: 'a\n',
  'hard breaks': 'a  \n',
  fences: '```\n',
  'short code blocks': '```js\na\n```\n',
  'fences of both kinds': '~~~\n```\n',
  'indented code': '    a\n',
  tasks: '- [ ] a\n',
  pipes: 'a|b\n',
  'delimiter rows': 'a|\n-|\n',
  'mentions begun': '@a.',
  mentions: '@aaa ',
  'mentions in emphasis': '_@aaa_ ',
  'mentions in emphasis begun': '__@a',
  'hosts begun': 'ab.',
  'hosts with paths': 'a.b/(c',
  'schemes begun': 'http:/',
  spaces: ' ',
  tabs: '\t',
  'no-break spaces': '\u00a0',
  'zero-width joiners': '\u200d',
  'bidirectional marks': '\u202e',
  isolates: '\u2066a',
  emoji: '👨‍👩‍👧‍👦',
  flags: '🇩🇪',
  'surrogates apart': '\ud83d ',
  'tags of emoji': '🏴\u{e0067}',
};

/** The server accepts each of them as a message. */
export const HOSTILE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(SINGLES.map((one) => [`10,000 times ${one}`, filled(one)])),
  ...Object.fromEntries(Object.entries(PIECES).map(([name, piece]) => [name, filled(piece)])),
  'quotes, 2100 deep': `${'>'.repeat(2_100)}x`,
  'quotes with spaces, 4999 deep': '> '.repeat(4_999),
  'numbered lists, 2000 deep': '1. '.repeat(2_000),
  'lists, 1200 deep': '- '.repeat(1_200),
  'lists behind text': `a\n\n${'- '.repeat(4_000)}`,
  'lists by indentation': indented('- ', 2),
  'numbered lists by indentation': indented('1. ', 3),
  'quotes that lines continue': `${'>'.repeat(100)}a\n${filled('b\n', 9_800)}`,
  'lists that lines continue': `${'- '.repeat(12)}a\n${filled('b\n', 9_800)}`,
  'emphasis, 4999 deep': `${'*'.repeat(4_999)}a${'*'.repeat(4_999)}`,
  'strong, 1000 deep': `${'**'.repeat(2_000)}a${'**'.repeat(2_000)}`,
  'emphasis around words': '*a '.repeat(1_500) + 'b*'.repeat(1_500),
  'emphasis and strong': '*a **b '.repeat(800) + 'c** d*'.repeat(700),
  'strikes around words': '~~a '.repeat(1_200) + 'b~~'.repeat(1_200),
  'brackets closed': '['.repeat(4_000) + ']'.repeat(4_000) + '('.repeat(2_000),
  'links inside links': '[a '.repeat(1_200) + '](b)'.repeat(1_200),
  'images inside images': '![a '.repeat(1_200) + '](b)'.repeat(1_200),
  'references to one definition': `[a]: b\n\n${filled('[a]', 9_900)}`,
  'backticks of every length': Array.from({ length: 139 }, (_, n) => '`'.repeat(n + 1)).join(' '),
  'a wide table': `${filled('|a', 4_900)}\n${filled('|-', 4_900)}`,
  'a tall table': `|a|b|\n|-|-|\n${filled('|a|b|\n', 9_900)}`,
  'a table of empty rows': `|a\n|-\n${filled('|\n', 9_900)}`,
  'a table that the parser fills': `${filled('|a', 1_000)}\n${filled('|-', 1_000)}\n${filled('|\n', 7_998)}`,
  'a quoted table that the parser fills': `> ${filled('|a', 1_000)}\n> ${filled('|-', 1_000)}\n${filled('> |\n', 7_900)}`,
  'tables, one after the other': filled('|a|b|c|\n|-|-|-|\n|\n\n'),
  'one word': `${filled('a', 9_999)}*`,
  'combining marks': `*a*${filled('\u0301\u0316', 9_997)}`,
  'combining marks on every letter': filled(`a${'\u0301\u0489\u0316\u20dd'.repeat(8)} `),
  'an address of one word': `http://a.b/${filled('c', 9_900)}`,
  'a mail address of one word': `${filled('a', 9_900)}@b.c`,
  'code of one word': `\`\`\`ts\n${filled('a', 9_900)}\n\`\`\``,
  'code of brackets': `\`\`\`js\n${filled('(a', 9_900)}\n\`\`\``,
  'code in an unknown language': `\`\`\`${filled('x', 5_000)}\n${filled('a ', 4_900)}\n\`\`\``,
  'markup as text': filled('<img src=x onerror=alert(1)><script>alert(1)</script>'),
};

/** Random numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ALL_PIECES = [
  ...SINGLES,
  ...Object.values(PIECES),
  'word ',
  '\n',
  '\n\n',
  '  ',
  '|-|-|\n',
  '```',
  '7. ',
];

/** Generates a text of runs, nested and single pieces; at most `most` UTF-16 units. */
export function hostileText(random: () => number, most = MOST): string {
  const pick = () => ALL_PIECES[Math.floor(random() * ALL_PIECES.length)] ?? '';
  const length = Math.ceil(most * random());
  let text = '';
  while (text.length < length) {
    const times = Math.ceil(random() ** 4 * 2_000);
    const way = random();
    if (way < 0.5) text += pick();
    else if (way < 0.8) text += pick().repeat(times);
    else if (way < 0.9) text += (pick() + pick()).repeat(times);
    else text = pick().repeat(times) + text + pick().repeat(times);
  }
  return text.slice(0, most);
}
