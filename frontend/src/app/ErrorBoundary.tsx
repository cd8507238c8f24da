import { Component, type ReactNode } from 'react';
import { useI18n } from '@/app/context';
import { Button } from '@/ui/Button';

interface Props {
  children: ReactNode;
  /** Shown instead of the failed part. */
  fallback: (reset: () => void) => ReactNode;
  /** Identifies the content: a new value retries rendering. */
  of?: unknown;
}

interface State {
  broken: boolean;
  of: unknown;
}

/** Prevents a blank page: replaces the failed part and keeps the rest. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { broken: false, of: this.props.of };

  static getDerivedStateFromError(): Partial<State> {
    return { broken: true };
  }

  static getDerivedStateFromProps({ of }: Props, state: State): Partial<State> | null {
    return of === state.of ? null : { broken: false, of };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return this.props.fallback(() => this.setState({ broken: false }));
  }
}

/** Replaces the whole page. The outbox and the drafts stay on the device; the user can reload or clear the copy. */
export function Broken({ onFresh }: { onFresh: () => Promise<void> }) {
  const { t } = useI18n();
  return (
    <main className="grid h-full place-items-center p-6 text-center">
      <div className="flex max-w-sm flex-col items-center gap-3">
        <h1 className="text-xl font-semibold">{t('app.broken.title')}</h1>
        <p className="text-muted">{t('app.broken.text')}</p>
        <Button kind="primary" onClick={() => location.reload()}>
          {t('app.broken.reload')}
        </Button>
        <p className="pt-2 text-sm text-muted">{t('app.broken.again')}</p>
        <Button onClick={() => void onFresh().finally(() => location.reload())}>
          {t('app.broken.fresh')}
        </Button>
      </div>
    </main>
  );
}

/** Replaces a panel or a dialog that failed to load or render. */
export function BrokenPart({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  return (
    <div
      role="alert"
      className="fixed inset-x-4 bottom-4 z-50 mx-auto flex max-w-md flex-wrap items-center gap-3 rounded-xl border border-line bg-raised p-4 shadow-raised"
    >
      <div className="min-w-48 flex-1">
        <p className="font-semibold">{t('app.brokenPart.title')}</p>
        <p className="text-sm text-muted">{t('app.brokenPart.text')}</p>
      </div>
      <Button onClick={onClose}>{t('dialog.close')}</Button>
      <Button kind="primary" onClick={() => location.reload()}>
        {t('app.broken.reload')}
      </Button>
    </div>
  );
}
