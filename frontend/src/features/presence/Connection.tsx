import { useEffect, useState } from 'react';
import { useChat, useI18n } from '@/app/context';
import { cx } from '@/lib/cx';

/** Shorter interruptions are not shown, because the line would flicker. */
const PATIENCE_MS = 700;

/** Shows the state of the connection; empty while connected. */
export function Connection() {
  const { t } = useI18n();
  const link = useChat((state) => state.link);
  const [shown, setShown] = useState(link);
  useEffect(() => {
    if (link === 'online' || link === 'offline' || link === 'closed') {
      setShown(link);
      return;
    }
    const timer = setTimeout(() => setShown(link), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [link]);
  const quiet = shown === 'online';
  return (
    <div
      role="status"
      aria-label={t('connection.label')}
      className={cx(
        quiet ? 'sr-only' : 'border-b border-line bg-mark px-4 py-1 text-center text-sm text-ink',
      )}
    >
      {t(`connection.${shown}`)}
    </div>
  );
}
