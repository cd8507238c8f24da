import { createElement, Fragment, lazy, type ReactNode, Suspense } from 'react';
import { keepSwipes } from './keepSwipes';
import { PlainText } from './PlainText';
import { type Element, type Node, parseMarkdown } from './parseMarkdown';

const Highlighted = lazy(() => import('./Highlighted'));

/** Cached, so that a row is not parsed each time it scrolls into view. Null: beyond the limits. */
const cache = new Map<string, ReactNode>();
const CACHED = 1_000;

/** Markdown without HTML: tags in the source are text. A text beyond the limits is shown as it was written. */
export default function Markdown({ text }: { text: string }) {
  let shown = cache.get(text);
  if (shown === undefined) {
    if (cache.size >= CACHED) cache.delete(cache.keys().next().value ?? '');
    const nodes = parseMarkdown(text);
    shown = nodes === null ? <PlainText text={text} /> : <div className="prose">{nodes.map(render)}</div>;
    cache.set(text, shown);
  }
  return shown;
}

function render(node: Node, key: number): ReactNode {
  if (typeof node === 'string') return <Fragment key={key}>{node}</Fragment>;
  const { tag, attributes } = node;
  const children = node.children.map(render);
  switch (tag) {
    case 'a':
      return (
        <a key={key} href={attributes.href} target="_blank" rel="noreferrer noopener nofollow">
          {children}
        </a>
      );
    case 'pre':
      return <CodeBlock key={key} node={node} />;
    case 'table':
      return (
        // Scrolls sideways, so it must be reachable by keyboard.
        <table key={key} ref={keepSwipes} tabIndex={0}>
          {children}
        </table>
      );
    case 'th':
    case 'td':
      return createElement(
        tag,
        { key, style: attributes.align === undefined ? undefined : { textAlign: attributes.align } },
        ...children,
      );
    case 'span':
      return (
        <span
          key={key}
          className={attributes.className}
          aria-hidden={attributes.hidden === 'true' || undefined}
        >
          {children}
        </span>
      );
    case 'br':
    case 'hr':
      return createElement(tag, { key });
    default:
      return createElement(
        tag,
        { key, className: attributes.className, start: attributes.start },
        ...children,
      );
  }
}

function CodeBlock({ node }: { node: Element }) {
  const code = node.children.join('');
  const { language } = node.attributes;
  return (
    <pre ref={keepSwipes} tabIndex={0}>
      {language === undefined ? (
        <code>{code}</code>
      ) : (
        <Suspense fallback={<code>{code}</code>}>
          <Highlighted code={code} language={language} />
        </Suspense>
      )}
    </pre>
  );
}
