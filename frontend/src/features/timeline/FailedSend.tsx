import { RotateCcw, Trash2 } from 'lucide-react';
import { useI18n, useSession } from '@/app/context';
import type { PendingMessage } from '@/store/state';

/** Shown in a message that the server rejected, with retry and discard. */
export function FailedSend({ pending }: { pending: PendingMessage }) {
  const { t, maybe } = useI18n();
  const { actions } = useSession();
  const reason = pending.error === null ? null : maybe(`error.${pending.error}`);
  return (
    <div className="mt-1 flex flex-wrap items-center justify-end gap-x-3 text-sm text-danger">
      {reason !== null && <span>{reason}</span>}
      <button
        type="button"
        onClick={() => void actions.retry(pending)}
        className="flex min-h-8 pointer-coarse:min-h-11 items-center gap-1.5 rounded font-medium underline-offset-2 hover:underline"
      >
        <RotateCcw size={14} aria-hidden />
        {t('message.retry')}
      </button>
      <button
        type="button"
        onClick={() => void actions.discard(pending)}
        className="flex min-h-8 pointer-coarse:min-h-11 items-center gap-1.5 rounded underline-offset-2 hover:underline"
      >
        <Trash2 size={14} aria-hidden />
        {t('message.discard')}
      </button>
    </div>
  );
}
