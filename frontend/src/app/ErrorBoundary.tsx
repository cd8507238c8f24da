import { Component, type ReactNode } from 'react';
import { useI18n } from '@/app/context';
import { Button } from '@/ui/Button';

/** Never a white page: whatever was written stays in the outbox and in the drafts, and there is a way on. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useI18n();
  return (
    <main className="grid h-full place-items-center p-6 text-center">
      <div className="flex max-w-sm flex-col items-center gap-3">
        <h1 className="text-xl font-semibold">{t('app.broken.title')}</h1>
        <p className="text-muted">{t('app.broken.text')}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          {t('app.broken.reload')}
        </Button>
      </div>
    </main>
  );
}
