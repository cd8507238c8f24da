import type { ReactElement, ReactNode } from 'react';
import { lazy, Suspense } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { keepSwipes } from './keepSwipes';
import { rehypeMentions } from './rehypeMentions';

const Highlighted = lazy(() => import('./Highlighted'));

/** Parsed once, not again whenever a row scrolls into sight. */
const cache = new Map<string, ReactElement>();
const CACHED = 1_000;

const components: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noreferrer noopener nofollow">
      {children}
    </a>
  ),
  // Loading an image that a stranger names would tell them that and when it was read.
  img: ({ src, alt }) => (
    <a href={typeof src === 'string' ? src : undefined} target="_blank" rel="noreferrer noopener nofollow">
      {alt || (typeof src === 'string' ? src : '')}
    </a>
  ),
  pre: ({ children }) => (
    // Scrolls sideways, so keys must be able to reach it.
    <pre ref={keepSwipes} tabIndex={0}>
      {children}
    </pre>
  ),
  table: ({ children }) => (
    <table ref={keepSwipes} tabIndex={0}>
      {children}
    </table>
  ),
  code: ({ className, children }) => {
    const language = /language-(\w+)/.exec(className ?? '')?.[1];
    if (language === undefined) return <code>{children}</code>;
    return (
      <Suspense fallback={<code>{children}</code>}>
        <Highlighted code={textOf(children)} language={language} />
      </Suspense>
    );
  },
  input: ({ checked }) => <span aria-hidden>{checked ? '☑ ' : '☐ '}</span>,
};

function textOf(children: ReactNode): string {
  return Array.isArray(children) ? children.join('') : String(children ?? '');
}

/** Markdown without HTML: tags in the source are shown as nothing or as text, never run. */
export default function Markdown({ text }: { text: string }) {
  let element = cache.get(text);
  if (element === undefined) {
    if (cache.size >= CACHED) cache.delete(cache.keys().next().value ?? '');
    element = ReactMarkdown({
      children: text,
      remarkPlugins: [[remarkGfm, { singleTilde: false }]],
      rehypePlugins: [rehypeMentions],
      components,
    });
    cache.set(text, element);
  }
  return <div className="prose">{element}</div>;
}
