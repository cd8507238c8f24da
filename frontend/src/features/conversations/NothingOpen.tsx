import { MessagesSquare } from 'lucide-react';
import { useChat, useI18n } from '@/app/context';
import { Button } from '@/ui/Button';

/** Shown when no conversation is open. A user without conversations is guided to the first one. */
export function NothingOpen({ onNew }: { onNew: () => void }) {
  const { t } = useI18n();
  const newcomer = useChat((state) => state.loaded && Object.keys(state.conversations).length === 0);
  return (
    <div className="rise m-auto flex max-w-xs flex-col items-center p-6 text-center">
      <span aria-hidden className="mb-4 grid size-16 place-items-center rounded-full bg-selected text-accent">
        <MessagesSquare size={28} />
      </span>
      <h2 className="text-lg font-semibold">{t(newcomer ? 'app.first.title' : 'app.empty.title')}</h2>
      <p className="mt-1 text-balance text-muted">{t(newcomer ? 'app.first.text' : 'app.empty.text')}</p>
      {newcomer && (
        <Button kind="primary" onClick={onNew} className="mt-5">
          {t('app.first.do')}
        </Button>
      )}
    </div>
  );
}
