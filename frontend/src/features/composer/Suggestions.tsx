import { useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import { Avatar } from '@/ui/Avatar';
import type { Suggestion } from './useCompletion';

export interface SuggestionsProps {
  id: string;
  suggestions: Suggestion[];
  active: number;
  onActive: (index: number) => void;
  onAccept: (index: number) => void;
}

/** The list above the message box; the box keeps the focus and handles the keys. */
export function Suggestions({ id, suggestions, active, onActive, onAccept }: SuggestionsProps) {
  const { t } = useI18n();
  return (
    <div
      id={id}
      role="listbox"
      aria-label={t('composer.completions')}
      className="rise absolute inset-x-0 bottom-full z-20 mb-2 max-w-sm rounded-xl border border-line bg-raised p-1.5 shadow-raised"
    >
      {suggestions.map((one, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the box handles the keys.
        // biome-ignore lint/a11y/useFocusableInteractive: the box keeps the focus and names the active option.
        <div
          key={one.key}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          onPointerMove={() => onActive(index)}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => onAccept(index)}
          className={cx(
            'flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 py-1',
            index === active && 'bg-hover',
          )}
        >
          {one.user === undefined ? (
            <span className="w-8 text-center text-xl">{one.sign}</span>
          ) : (
            <Avatar id={one.user.id} name={one.name} url={one.user.avatar_url} size="small" />
          )}
          <span className="truncate font-medium">{one.name}</span>
          <span className="truncate text-sm text-muted">{one.hint}</span>
        </div>
      ))}
    </div>
  );
}
