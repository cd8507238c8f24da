import { lazy, memo, type ReactNode, Suspense, useId, useState } from 'react';
import { useI18n } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { isUnbroken, shownText } from '@/lib/text';
import { isTall } from './height';
import { PlainText } from './PlainText';
import { Unshowable } from './Unshowable';

const Markdown = lazy(() => import('./Markdown'));

/** Characters and prefixes without which Markdown changes nothing. Linear in the length of the text. */
const MAY_BE_MARKDOWN =
  /[*_~`[\]|\\<&@]|https?:|www\.|^[ \t]{0,3}([-+>#]|\d{1,9}[.)]\s)|^ {4}|^[ \t]*[-=]{2}/m;

/** A message's text, rendered safely; most texts are plain and need no parser. */
export const MessageText = memo(function MessageText({ text: source }: { text: string }) {
  const text = shownText(source);
  const shown = (
    <ErrorBoundary of={text} fallback={() => <Unshowable text={text} />}>
      <Suspense fallback={<PlainText text={text} />}>
        {MAY_BE_MARKDOWN.test(text) ? <Markdown text={text} /> : <PlainText text={text} />}
      </Suspense>
    </ErrorBoundary>
  );
  const whole = isTall(text) ? <Beginning>{shown}</Beginning> : shown;
  return isUnbroken(text) ? <div className="unbroken">{whole}</div> : whole;
});

/** A very long text shows only its beginning, so that the reader need not scroll past all of it. */
function Beginning({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const id = useId();
  const [whole, setWhole] = useState(false);
  return (
    <>
      <div id={id} className={whole ? undefined : 'tall'}>
        {children}
      </div>
      <button
        type="button"
        aria-expanded={whole}
        aria-controls={id}
        onClick={() => setWhole(!whole)}
        className="min-h-8 font-medium underline underline-offset-2 pointer-coarse:min-h-11"
      >
        {t(whole ? 'message.showLess' : 'message.showAll')}
      </button>
    </>
  );
}
