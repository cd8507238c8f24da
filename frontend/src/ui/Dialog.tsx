import { X } from 'lucide-react';
import { type MouseEvent, type ReactNode, useEffect, useId, useRef } from 'react';
import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import { Button, IconButton } from './Button';

export interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Stays at the bottom and does not scroll. */
  footer?: ReactNode;
  size?: 'small' | 'normal' | 'large';
  hideTitle?: boolean;
  /** Nothing inside can be focused, so the content itself must be, for keys to scroll it. */
  readOnly?: boolean;
}

const SIZES = {
  small: 'sm:w-[26rem]',
  // Aligned to the top: a dialog whose height changes while the user types must not move.
  normal: 'sm:mt-[12dvh] sm:w-[32rem]',
  large: 'sm:w-[44rem]',
};

/**
 * The browser's modal dialog: it traps the focus, restores it, closes with Esc and hides the rest from assistive
 * technology, without a style sheet injected at run time, which a strict policy would forbid.
 */
export function Dialog({
  title,
  onClose,
  children,
  footer,
  size = 'normal',
  hideTitle = false,
  readOnly = false,
}: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  const { t } = useI18n();

  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    const before = originOf(document.activeElement);
    dialog.showModal();
    // React does not render `autofocus`, and a closed dialog cannot be focused before this moment.
    dialog.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      dialog.close();
      before?.focus();
    };
  }, []);

  const clickedOutside = (event: MouseEvent<HTMLDialogElement>) => {
    if (event.target === ref.current) onClose();
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc does the same and arrives as `cancel`.
    <dialog
      ref={ref}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={clickedOutside}
      className={cx(
        'rise w-full max-w-full bg-transparent p-0 max-sm:mb-0 max-sm:max-h-[92dvh] sm:max-h-[85dvh] sm:max-w-[calc(100vw-2rem)]',
        SIZES[size],
      )}
    >
      <div className="safe-bottom flex max-h-[inherit] flex-col overflow-hidden rounded-t-2xl border border-line bg-raised shadow-raised sm:rounded-2xl">
        <div className={cx('flex items-center gap-2 ps-5 pe-3 pt-3', hideTitle && 'sr-only')}>
          <h2 id={id} className="min-w-0 flex-1 text-lg font-semibold wrap-anywhere">
            {title}
          </h2>
          {!hideTitle && (
            <IconButton label={t('dialog.close')} onClick={onClose}>
              <X size={20} aria-hidden />
            </IconButton>
          )}
        </div>
        <div
          tabIndex={readOnly ? 0 : undefined}
          className={cx('min-h-0 flex-1 overflow-y-auto', hideTitle ? '' : 'px-5 pt-3 pb-5')}
        >
          {children}
        </div>
        {footer !== undefined && (
          <div className="flex flex-wrap justify-end gap-2 border-t border-line px-5 py-3">{footer}</div>
        )}
      </div>
    </dialog>
  );
}

/** Where the focus returns: a menu entry no longer exists by then, so the menu's button replaces it. */
function originOf(focused: Element | null): HTMLElement | null {
  const button = focused?.closest('[role="menu"]')?.getAttribute('aria-labelledby') ?? null;
  const origin = button === null ? focused : document.getElementById(button);
  return origin instanceof HTMLElement ? origin : null;
}

export interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const { t } = useI18n();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      size="small"
      footer={
        <>
          <Button onClick={onClose}>{t('dialog.cancel')}</Button>
          <Button
            kind="danger"
            onClick={() => {
              onClose();
              onConfirm();
            }}
          >
            {action}
          </Button>
        </>
      }
    >
      <p className="wrap-anywhere text-muted">{text}</p>
    </Dialog>
  );
}
