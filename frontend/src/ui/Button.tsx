import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { cx } from '@/lib/cx';

type Kind = 'primary' | 'plain' | 'danger' | 'quiet';

const KINDS: Record<Kind, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  plain: 'border border-line bg-raised text-ink hover:bg-hover',
  danger: 'bg-danger text-on-danger hover:opacity-90',
  quiet: 'text-accent hover:bg-hover',
};

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind = 'plain', busy = false, className, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        'inline-flex min-h-10 pointer-coarse:min-h-11 items-center justify-center gap-2 rounded-lg px-4 font-medium transition-colors',
        'disabled:cursor-default disabled:opacity-55',
        KINDS[kind],
        className,
      )}
    />
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** The accessible name, set through the tooltip: a screen reader would read both. */
  label: string;
  children: ReactNode;
  size?: 'small' | 'normal';
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ label, size = 'normal', className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      title={label}
      {...rest}
      className={cx(
        'inline-flex shrink-0 items-center justify-center rounded-lg text-muted transition-colors hover:bg-hover hover:text-ink disabled:opacity-50',
        size === 'small' ? 'size-8 pointer-coarse:size-11' : 'size-10 pointer-coarse:size-11',
        className,
      )}
    >
      {children}
    </button>
  );
}
