import { cx } from '@/lib/cx';

const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\uFE0F|\u200D\p{Extended_Pictographic}|[\u{1F3FB}-\u{1F3FF}])*\s?){1,3}$/u;
/** The longest of three emoji, families with skin tones included. */
const MAX_EMOJI_LENGTH = 120;

/** A text as it was written. A message of only a few emoji is large. */
export function PlainText({ text }: { text: string }) {
  const large = text.length <= MAX_EMOJI_LENGTH && ONLY_EMOJI.test(text);
  return (
    <div className="prose">
      <p className={cx(large && 'text-4xl leading-tight')}>{text}</p>
    </div>
  );
}
