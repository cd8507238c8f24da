import { useId } from 'react';
import { cx } from '@/lib/cx';

export interface SwitchProps {
  label: string;
  text?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, text, checked, disabled = false, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-4">
      <div className="flex-1">
        <p id={id} className="font-medium">
          {label}
        </p>
        {text !== undefined && (
          <p id={`${id}-text`} className="text-sm text-muted">
            {text}
          </p>
        )}
      </div>
      <button
        type="button"
        role="switch"
        aria-checked={checked}
        aria-labelledby={id}
        aria-describedby={text === undefined ? undefined : `${id}-text`}
        disabled={disabled}
        onClick={() => onChange(!checked)}
        className="mt-0.5 grid w-11 shrink-0 place-items-center rounded-full disabled:opacity-50 pointer-coarse:-mt-1.5 pointer-coarse:h-11"
      >
        <span
          className={cx(
            'relative block h-6 w-11 rounded-full border transition-colors',
            checked ? 'border-accent bg-accent' : 'border-field-line bg-hover',
          )}
        >
          <span
            className={cx(
              'absolute top-0.5 size-4.5 rounded-full transition-[inset-inline-start]',
              checked ? 'start-5.5 bg-on-accent' : 'start-0.5 bg-field-line',
            )}
          />
        </span>
      </button>
    </div>
  );
}

export interface SegmentsProps<T extends string> {
  label: string;
  text?: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
}

/** A short list of visible choices: radio buttons that look like one bar. */
export function Segments<T extends string>({ label, text, value, options, onChange }: SegmentsProps<T>) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 font-medium">
        {label}
        {text !== undefined && <span className="block text-sm font-normal text-muted">{text}</span>}
      </legend>
      <div className="flex flex-wrap gap-1 rounded-xl bg-sidebar p-1">
        {options.map((one) => (
          <label
            key={one.value}
            className={cx(
              'flex min-h-9 pointer-coarse:min-h-11 flex-1 cursor-pointer items-center justify-center rounded-lg px-3 text-center text-sm font-medium whitespace-nowrap',
              'has-focus-visible:outline-2 has-focus-visible:outline-accent',
              one.value === value
                ? 'bg-raised text-ink shadow-sm ring-1 ring-line'
                : 'text-muted hover:text-ink',
            )}
          >
            <input
              type="radio"
              name={name}
              value={one.value}
              checked={one.value === value}
              onChange={() => onChange(one.value)}
              className="sr-only"
            />
            {one.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
