/** Parses Markdown to a tree of plain objects, bounded in depth and size. HTML in the source stays text. */
import MarkdownIt, { type Token } from 'markdown-it';
import { isVisible } from '@/lib/text';
import {
  hasFewAddresses,
  isHighlightable,
  isParsable,
  MAX_CONTAINERS,
  MAX_DEPTH,
  MAX_ELEMENTS,
  MAX_HIGHLIGHTED,
} from './bounds';

export interface Element {
  tag: string;
  attributes: Record<string, string>;
  children: Node[];
}

/** An element, or text. */
export type Node = Element | string;

/** With `linkify`, URLs in the text become links without any markup. */
function makeParser(linkify: boolean) {
  const parser = new MarkdownIt({
    html: false,
    linkify,
    // A list counts twice, and beyond this the parser drops text: `isParsable` and `MAX_DEPTH` apply first.
    maxNesting: MAX_DEPTH + 2 * MAX_CONTAINERS,
  });
  parser.linkify
    .add('ftp:', null)
    .add('//', null)
    .add('www.', {
      validate: (text, pos, self) => {
        const rest = self.re.get_relative_proto_validator();
        rest.lastIndex = pos;
        return rest.exec(text)?.[0].length ?? 0;
      },
      normalize: (match) => {
        match.url = `http://${match.url}`;
      },
    });
  parser.validateLink = isHarmless;
  // A link is shown as it was written, not decoded into similar-looking letters.
  parser.normalizeLinkText = (url) => url;
  return parser;
}

const linking = makeParser(true);
const plain = makeParser(false);

/** URLs without a scheme, and those with a scheme that executes nothing. */
function isHarmless(url: string): boolean {
  const scheme = /^\s*([^/?#:]*):/.exec(url)?.[1];
  return scheme === undefined || /^(https?|mailto|xmpp|ircs?)$/i.test(scheme);
}

/**
 * Returns null when the text is beyond the limits, or when it has only markup, like "---" or a fence without code: it
 * is then shown as it was written.
 */
export function parseMarkdown(text: string): Node[] | null {
  if (!isParsable(text)) return null;
  try {
    const parser = hasFewAddresses(text) ? linking : plain;
    const nodes = new Builder().build(parser.parse(text, {}));
    return nodes.some(hasText) ? nodes : null;
  } catch {
    // Whatever is wrong with the parser or with the text, the text itself stays readable.
    return null;
  }
}

/** Whether any of it is visible. Recursive: `MAX_DEPTH` bounds the tree. */
function hasText(node: Node): boolean {
  return typeof node === 'string' ? isVisible(node) : node.children.some(hasText);
}

class TooLarge extends Error {
  override name = 'TooLarge';
}

/** Walks the flat list of tokens once. Nesting uses a list, not the call stack. */
class Builder {
  readonly #root: Element = element('');
  readonly #open: Element[] = [this.#root];
  #count = 0;
  #highlighted = 0;

  build(tokens: readonly Token[]): Node[] {
    for (const token of tokens) this.#add(token);
    return this.#root.children;
  }

  #add(token: Token): void {
    // The paragraph of a list item without blank lines.
    if (token.hidden) return;
    if (token.type === 'inline') for (const child of token.children ?? []) this.#add(child);
    else if (token.nesting === 1) this.#begin(token);
    else if (token.nesting === -1) this.#end(token);
    else this.#leaf(token);
  }

  #begin(token: Token): void {
    const opened = element(token.tag, attributesOf(token));
    this.#append(opened);
    this.#open.push(opened);
    if (this.#open.length > MAX_DEPTH) throw new TooLarge();
  }

  #end(token: Token): void {
    this.#open.pop();
    if (token.type === 'list_item_close') markTask(this.#top.children.at(-1), this.#top);
  }

  #leaf(token: Token): void {
    switch (token.type) {
      case 'text':
        this.#mentions(token.content);
        return;
      case 'softbreak':
        this.#text('\n');
        return;
      case 'hardbreak':
      case 'hr':
        this.#append(element(token.tag));
        return;
      case 'code_inline':
        this.#append(element('code', {}, [token.content]));
        return;
      case 'code_block':
      case 'fence':
        this.#append(element('pre', this.#languageOf(token), [token.content]));
        return;
      case 'image':
        // Loading an image from another server would reveal that and when the message was read.
        this.#image(token);
        return;
      default:
        this.#text(token.content);
    }
  }

  #mentions(text: string): void {
    for (const piece of splitMentions(text)) this.#append(piece);
  }

  #image(token: Token): void {
    const src = attribute(token, 'src') ?? '';
    const link = element('a', { href: src });
    this.#append(link);
    this.#open.push(link);
    if (token.content === '') this.#text(src);
    else this.#mentions(token.content);
    this.#open.pop();
  }

  /** The language of highlighted code. */
  #languageOf(token: Token): Record<string, string> {
    const language = /^\w+/.exec(token.info)?.[0];
    if (language === undefined || !isHighlightable(token.content)) return {};
    this.#highlighted += token.content.length;
    return this.#highlighted > MAX_HIGHLIGHTED ? {} : { language };
  }

  #text(text: string): void {
    const { children } = this.#top;
    const last = children.at(-1);
    if (typeof last === 'string') children[children.length - 1] = last + text;
    else children.push(text);
  }

  #append(node: Node): void {
    if (typeof node === 'string') {
      this.#text(node);
      return;
    }
    this.#count += 1;
    if (this.#count > MAX_ELEMENTS) throw new TooLarge();
    this.#top.children.push(node);
  }

  get #top(): Element {
    return this.#open.at(-1) ?? this.#root;
  }
}

function element(tag: string, attributes: Record<string, string> = {}, children: Node[] = []): Element {
  return { tag, attributes, children };
}

function attributesOf(token: Token): Record<string, string> {
  const href = attribute(token, 'href');
  if (href !== null) return { href };
  const start = attribute(token, 'start');
  if (start !== null) return { start };
  const align = /text-align:(left|right|center)/.exec(attribute(token, 'style') ?? '')?.[1];
  return align === undefined ? {} : { align };
}

function attribute(token: Token, name: string): string | null {
  const value = token.attrGet(name);
  return value === null ? null : String(value);
}

/**
 * A name, with or without emphasis, or a URL, which contains no names. The server finds mentions by the same rule
 * (docs/protocol.md); both are tested with tests/mentions.json.
 */
const MENTION =
  /(?:(?<![A-Za-z0-9_])_+|(?<![A-Za-z0-9_.@-]))@([A-Za-z0-9_.-]{3,})|(?:(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9]{1,15}:\/\/|www\.)|(?<![A-Za-z0-9@._-])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\/)(?:[^\s<>"`|[\]()]|\([^\s<>"`|[\]()]*\))*/gi;
/** Endings that belong to the sentence and not to the name, the most likely first. */
const ENDS = [/(?<!\.)\.+$/, /(?<![._-])[._-]+$/, /$/];

function nameIn(written: string): string | undefined {
  return ENDS.map((end) => written.replace(end, '')).find((name) => name.length >= 3 && name.length <= 32);
}

/** Highlights `@username`. */
function splitMentions(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(MENTION)) {
    const written = match[1] ?? '';
    const name = nameIn(written);
    if (name === undefined) continue;
    const start = match.index + match[0].length - written.length - 1;
    if (start > from) nodes.push(text.slice(from, start));
    from = start + name.length + 1;
    nodes.push(element('span', { className: 'mention' }, [text.slice(start, from)]));
  }
  if (from < text.length) nodes.push(text.slice(from));
  return nodes;
}

/** `- [x] done` shows a checkbox instead of the brackets. */
function markTask(item: Node | undefined, list: Element): void {
  if (item === undefined || typeof item === 'string') return;
  const first = item.children[0];
  const holder = typeof first === 'object' && first.tag === 'p' ? first : item;
  const text = holder.children[0];
  const box = typeof text === 'string' ? /^\[([ xX])\]\s/.exec(text) : null;
  if (box === null || typeof text !== 'string') return;
  const sign = element('span', { hidden: 'true' }, [box[1] === ' ' ? '☐ ' : '☑ ']);
  holder.children.splice(0, 1, sign, text.slice(box[0].length));
  list.attributes.className = 'contains-task-list';
}
