import { lazy, memo, Suspense } from 'react';
import { cx } from '@/lib/cx';

const Markdown = lazy(() => import('./Markdown'));

/** Characters and beginnings without which Markdown changes nothing. */
const MAY_BE_MARKDOWN = /[*_~`[\]|\\<&@]|https?:|www\.|^\s{0,3}([-+>#]|\d{1,9}[.)]\s)|^ {4}|\n\s*[-=]{2,}/m;
const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|[\u{1F3FB}-\u{1F3FF}])*\s?){1,3}$/u;

/** A message's text, rendered harmlessly; most of it is plain and needs no parser. */
export const MessageText = memo(function MessageText({ text }: { text: string }) {
  if (!MAY_BE_MARKDOWN.test(text)) return <Plain text={text} />;
  return (
    <Suspense fallback={<Plain text={text} />}>
      <Markdown text={text} />
    </Suspense>
  );
});

function Plain({ text }: { text: string }) {
  return (
    <div className="prose">
      <p className={cx(ONLY_EMOJI.test(text) && 'text-4xl leading-tight')}>{text}</p>
    </div>
  );
}
