import { ArrowDown, ArrowUp } from 'lucide-react';
import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import { clockTime, dayLabel } from '@/lib/time';

const PILL =
  'rise absolute flex min-h-10 items-center gap-2 rounded-full border border-line bg-raised px-3.5 text-sm font-medium shadow-raised hover:bg-hover pointer-coarse:min-h-11';

/** "12 new since 14:02": jumps to the divider above what was unread when the conversation was opened. */
export function UnreadBar({ count, since, onClick }: { count: number; since: string; onClick: () => void }) {
  const i18n = useI18n();
  const today = dayLabel(i18n, since) === i18n.t('time.today');
  const when = today ? clockTime(i18n, since) : `${dayLabel(i18n, since)}, ${clockTime(i18n, since)}`;
  return (
    <button type="button" onClick={onClick} className={cx(PILL, 'inset-x-0 top-3 mx-auto w-fit')}>
      <ArrowUp size={18} aria-hidden className="shrink-0" />
      {i18n.t('message.newSince', count, when)}
    </button>
  );
}

/** Jumps to the newest message and shows how many arrived meanwhile. */
export function LatestButton({ unread, onClick }: { unread: number; onClick: () => void }) {
  const { t } = useI18n();
  return (
    <button
      type="button"
      onClick={onClick}
      title={t('message.latest')}
      className={cx(
        PILL,
        'end-4 bottom-3',
        unread === 0 && 'size-10 justify-center px-0 pointer-coarse:size-11',
      )}
    >
      <ArrowDown size={18} aria-hidden className="shrink-0" />
      <span className={unread > 0 ? '' : 'sr-only'}>
        {unread > 0 ? t('message.newBelow', unread) : t('message.latest')}
      </span>
    </button>
  );
}
