import { Check, X } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import type { User } from '@/protocol';
import { ownNameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { usePeopleSearch } from './usePeopleSearch';

export interface PeoplePickerProps {
  chosen: User[];
  onChange: (chosen: User[]) => void;
  /** Users who cannot be chosen. */
  without?: ReadonlySet<string>;
  /** Shown below the box. */
  hint: string;
  /** Enter with nothing typed. */
  onSubmit: () => void;
}

/** A text box over a list of users; several can be chosen. Arrow keys move, Enter chooses. */
export function PeoplePicker({ chosen, onChange, without, hint, onSubmit }: PeoplePickerProps) {
  const { t } = useI18n();
  const id = useId();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const { people, searching } = usePeopleSearch(query);
  const shown = people.filter((one) => !without?.has(one.id));
  const current = Math.min(active, Math.max(0, shown.length - 1));

  const toggle = (user: User) => {
    const isChosen = chosen.some((one) => one.id === user.id);
    onChange(isChosen ? chosen.filter((one) => one.id !== user.id) : [...chosen, user]);
    setQuery('');
    setActive(0);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    const user = shown[current];
    if (event.key === 'ArrowDown') setActive(Math.min(current + 1, shown.length - 1));
    else if (event.key === 'ArrowUp') setActive(Math.max(current - 1, 0));
    else if (event.key === 'Enter' && query === '' && chosen.length > 0) onSubmit();
    else if (event.key === 'Enter' && user !== undefined) toggle(user);
    else if (event.key === 'Backspace' && query === '') onChange(chosen.slice(0, -1));
    else return;
    event.preventDefault();
  };

  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-col gap-1.5">
        <label htmlFor={`${id}-box`} className="text-sm font-medium">
          {t('new.find')}
        </label>
        <div className="flex flex-wrap items-center gap-1.5 rounded-lg border border-field-line bg-field p-1.5 has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent">
          {chosen.map((user) => (
            <span
              key={user.id}
              className="flex items-center gap-1 rounded-md bg-selected ps-2.5 text-sm font-medium"
            >
              <span className="wrap-anywhere" dir="auto">
                {ownNameOf(user)}
              </span>
              <button
                type="button"
                aria-label={t('new.remove', ownNameOf(user))}
                onClick={() => toggle(user)}
                className="grid size-7 pointer-coarse:size-11 place-items-center rounded-md hover:bg-hover"
              >
                <X size={14} aria-hidden />
              </button>
            </span>
          ))}
          <input
            id={`${id}-box`}
            type="text"
            value={query}
            data-autofocus
            maxLength={100}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            aria-autocomplete="list"
            aria-controls={`${id}-list`}
            aria-activedescendant={shown.length > 0 ? `${id}-${current}` : undefined}
            aria-describedby={`${id}-hint`}
            onChange={(event) => {
              setQuery(event.target.value);
              setActive(0);
            }}
            onKeyDown={onKeyDown}
            className="pointer-coarse:min-h-11 h-8 min-w-32 flex-1 bg-transparent px-1.5 outline-none"
          />
        </div>
        <p id={`${id}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      </div>
      <div
        id={`${id}-list`}
        role="listbox"
        tabIndex={0}
        aria-label={t('new.results')}
        aria-multiselectable="true"
        className="flex max-h-72 flex-col gap-0.5 overflow-y-auto"
      >
        {shown.map((user, index) => {
          const isChosen = chosen.some((one) => one.id === user.id);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the text box handles the keys, as in every listbox of this kind.
            // biome-ignore lint/a11y/useFocusableInteractive: the text box keeps the focus and names the active option.
            <div
              key={user.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={isChosen}
              ref={(element) => {
                if (index === current) element?.scrollIntoView?.({ block: 'nearest' });
              }}
              onClick={() => toggle(user)}
              onPointerMove={() => setActive(index)}
              className={cx(
                'flex min-h-13 items-center gap-3 rounded-lg px-2.5 py-1.5',
                index === current && 'bg-hover',
              )}
            >
              <Avatar id={user.id} name={ownNameOf(user)} url={user.avatar_url} />
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium" dir="auto">
                  {ownNameOf(user)}
                </span>
                <span className="block truncate text-sm text-muted">@{user.username}</span>
              </span>
              {isChosen && <Check size={18} aria-hidden className="text-accent" />}
            </div>
          );
        })}
      </div>
      {shown.length === 0 && query.trim() !== '' && (
        <p role="status" className="pb-3 text-center text-sm text-muted">
          {searching ? t('new.searching') : t('new.none')}
        </p>
      )}
    </div>
  );
}
