import { lazy, memo, Suspense } from 'react';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { PlainText } from './PlainText';
import { Unshowable } from './Unshowable';

const Markdown = lazy(() => import('./Markdown'));

/** Characters and beginnings without which Markdown changes nothing. Linear in the length of the text. */
const MAY_BE_MARKDOWN =
  /[*_~`[\]|\\<&@]|https?:|www\.|^[ \t]{0,3}([-+>#]|\d{1,9}[.)]\s)|^ {4}|^[ \t]*[-=]{2}/m;

/** A message's text, rendered harmlessly; most of it is plain and needs no parser. */
export const MessageText = memo(function MessageText({ text }: { text: string }) {
  if (!MAY_BE_MARKDOWN.test(text)) return <PlainText text={text} />;
  return (
    <ErrorBoundary of={text} fallback={() => <Unshowable text={text} />}>
      <Suspense fallback={<PlainText text={text} />}>
        <Markdown text={text} />
      </Suspense>
    </ErrorBoundary>
  );
});
