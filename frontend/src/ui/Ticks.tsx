import { Check, CheckCheck, CircleAlert, Clock } from 'lucide-react';
import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import type { Delivery } from '@/store/selectors';

const SIGNS = { sending: Clock, failed: CircleAlert, sent: Check, delivered: CheckCheck, read: CheckCheck };

/** The delivery state of a message, as an icon and as text for screen readers. */
export function Ticks({ delivery, className }: { delivery: Delivery; className?: string }) {
  const { t } = useI18n();
  const Sign = SIGNS[delivery];
  return (
    <span className={cx('inline-flex', className)} title={t(`state.${delivery}`)}>
      <Sign
        aria-hidden
        size={delivery === 'sending' ? 12 : 15}
        strokeWidth={2.25}
        className={cx(delivery === 'read' && 'text-tick-read', delivery === 'failed' && 'text-danger')}
      />
      <span className="sr-only">{t(`state.${delivery}`)}</span>
    </span>
  );
}
