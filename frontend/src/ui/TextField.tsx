import { Eye, EyeOff } from 'lucide-react';
import { type InputHTMLAttributes, type Ref, useId, useState } from 'react';
import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';

export interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  hideLabel?: boolean;
  /** Gets the focus when its dialog opens. */
  'data-autofocus'?: boolean;
  ref?: Ref<HTMLInputElement>;
}

const FIELD =
  'w-full rounded-lg border border-field-line bg-field px-3 text-ink placeholder:text-muted aria-invalid:border-danger';

export function TextField({
  label,
  hint,
  error,
  hideLabel = false,
  className,
  type,
  ...rest
}: TextFieldProps) {
  const id = useId();
  const { t } = useI18n();
  const [shown, setShown] = useState(false);
  const isPassword = type === 'password';
  const note = error ?? hint;
  return (
    <div className={cx('flex flex-col gap-1.5', className)}>
      <label htmlFor={id} className={hideLabel ? 'sr-only' : 'text-sm font-medium'}>
        {label}
      </label>
      <div className="relative">
        <input
          id={id}
          type={isPassword && shown ? 'text' : type}
          aria-invalid={error !== undefined || undefined}
          aria-describedby={note === undefined ? undefined : `${id}-note`}
          {...rest}
          className={cx(FIELD, 'h-11', isPassword && 'pe-11')}
        />
        {isPassword && (
          <button
            type="button"
            onClick={() => setShown(!shown)}
            aria-label={shown ? t('auth.password.hide') : t('auth.password.show')}
            className="absolute inset-y-0 end-0 grid w-11 place-items-center rounded-lg text-muted hover:text-ink"
          >
            {shown ? <EyeOff size={18} aria-hidden /> : <Eye size={18} aria-hidden />}
          </button>
        )}
      </div>
      {note !== undefined && (
        <p id={`${id}-note`} className={cx('text-sm', error === undefined ? 'text-muted' : 'text-danger')}>
          {note}
        </p>
      )}
    </div>
  );
}

export interface TextAreaProps {
  label: string;
  error?: string | undefined;
  value: string;
  onChange: (value: string) => void;
  maxLength?: number;
  rows?: number;
}

export function TextArea({ label, error, value, onChange, maxLength, rows = 3 }: TextAreaProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      <textarea
        id={id}
        value={value}
        rows={rows}
        maxLength={maxLength}
        aria-invalid={error !== undefined || undefined}
        aria-describedby={error === undefined ? undefined : `${id}-note`}
        onChange={(event) => onChange(event.target.value)}
        className={cx(FIELD, 'resize-y py-2')}
      />
      {error !== undefined && (
        <p id={`${id}-note`} className="text-sm text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
