import { X } from 'lucide-react';
import { useEffect } from 'react';
import type { Notice } from '@/store/state';
import { Button, IconButton } from '@/ui/Button';
import { useChat, useI18n, useSession } from './context';

/** Notices about a refusal disappear by themselves; notices about the device stay until dismissed. */
const FADES_AFTER_MS = 6_000;

export function Notices() {
  const notices = useChat((state) => state.notices);
  return (
    <div role="log" aria-live="polite" className="flex flex-col">
      {notices.map((notice) => (
        <Line key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function Line({ notice }: { notice: Notice }) {
  const { t } = useI18n();
  const { changes } = useSession();
  const fades = notice.code === 'request_failed';
  useEffect(() => {
    if (!fades) return;
    const timer = setTimeout(() => changes.dismiss(notice.id), FADES_AFTER_MS);
    return () => clearTimeout(timer);
  }, [changes, fades, notice.id]);
  const reloads = notice.code === 'update_ready' || notice.code === 'protocol_closed';
  return (
    <div className="rise flex items-center gap-3 border-b border-line bg-raised px-4 py-1.5 text-sm">
      <p className="flex-1">{notice.detail ?? t(`notice.${notice.code}`)}</p>
      {reloads && (
        <Button className="min-h-8" onClick={() => location.reload()}>
          {t('notice.reload')}
        </Button>
      )}
      <IconButton size="small" label={t('notice.dismiss')} onClick={() => changes.dismiss(notice.id)}>
        <X size={16} aria-hidden />
      </IconButton>
    </div>
  );
}
