import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useI18n } from '@/app/context';
import { type Emoji, type EmojiGroup, loadEmoji, searchEmoji } from './data';

const COLUMNS = 8;
/** The height of a row of emoji, for the scroll bar of rows that are not rendered yet. */
const ROW_REM = 2.3125;

interface Group {
  /** Null for search results. */
  name: EmojiGroup | null;
  emoji: Emoji[];
}

/** A grid of all emoji with a search box; arrow keys move through it. */
export default function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t } = useI18n();
  const [all, setAll] = useState<Emoji[]>([]);
  const [query, setQuery] = useState('');
  const grid = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void loadEmoji().then(setAll);
    // The popover had nothing to focus while this script was loading.
    if (matchMedia('(pointer: fine)').matches) search.current?.focus();
  }, []);
  const groups = useMemo<Group[]>(() => {
    if (query.trim() !== '') return [{ name: null, emoji: searchEmoji(all, query) }];
    const byName = new Map<EmojiGroup, Emoji[]>();
    for (const one of all) {
      const group = byName.get(one.group);
      if (group === undefined) byName.set(one.group, [one]);
      else group.push(one);
    }
    return [...byName].map(([name, emoji]) => ({ name, emoji }));
  }, [all, query]);
  const first = groups[0]?.emoji[0];
  const none = all.length > 0 && first === undefined;

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const buttons = [...(grid.current?.querySelectorAll('button') ?? [])];
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: COLUMNS,
      ArrowUp: -COLUMNS,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    if (index < 0 && event.key !== 'ArrowDown') return;
    event.preventDefault();
    if (index >= 0 && index + step < 0) event.currentTarget.querySelector('input')?.focus();
    else buttons[index < 0 ? 0 : Math.min(buttons.length - 1, index + step)]?.focus();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys of everything inside bubble up to here.
    <div onKeyDown={onKeyDown} className="flex min-h-0 flex-1 flex-col">
      <div className="p-2">
        <input
          ref={search}
          type="text"
          aria-label={t('emoji.search')}
          placeholder={t('emoji.search')}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && first !== undefined) {
              event.preventDefault();
              onPick(first.char);
            }
          }}
          className="h-9 w-full rounded-lg border border-field-line bg-field px-3 text-sm placeholder:text-muted"
        />
      </div>
      <div ref={grid} className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {groups.map(({ name, emoji }) => (
          <div key={name} data-group={name}>
            {name !== null && (
              <h3 className="sticky top-0 z-10 bg-raised px-1 py-1 text-xs font-semibold text-muted">
                {t(`emoji.${name}`)}
              </h3>
            )}
            <div
              className="grid grid-cols-8 [content-visibility:auto]"
              style={{ containIntrinsicBlockSize: `${Math.ceil(emoji.length / COLUMNS) * ROW_REM}rem` }}
            >
              {emoji.map((one) => (
                <button
                  key={one.char}
                  type="button"
                  // One Tab stop for all of them; arrow keys move from there.
                  tabIndex={one === first ? 0 : -1}
                  aria-label={one.label}
                  title={one.names[0] === undefined ? one.label : `:${one.names[0]}:`}
                  onClick={() => onPick(one.char)}
                  className="grid aspect-square place-items-center rounded-md text-xl hover:bg-hover"
                >
                  {one.char}
                </button>
              ))}
            </div>
          </div>
        ))}
        {none && <p className="py-8 text-center text-sm text-muted">{t('emoji.none')}</p>}
      </div>
      {query.trim() === '' && (
        // For mouse and touch: keyboard users have the search box and the arrows.
        <div className="flex border-t border-line px-2 py-1">
          {groups.map(
            ({ name, emoji }) =>
              name !== null && (
                <button
                  key={name}
                  type="button"
                  tabIndex={-1}
                  title={t(`emoji.${name}`)}
                  onClick={() => grid.current?.querySelector(`[data-group=${name}]`)?.scrollIntoView()}
                  className="grid h-8 flex-1 place-items-center rounded-md text-base grayscale hover:bg-hover hover:grayscale-0 pointer-coarse:h-11"
                >
                  <span aria-hidden>{emoji[0]?.char}</span>
                </button>
              ),
          )}
        </div>
      )}
      <p role="status" className="sr-only">
        {none ? t('emoji.none') : query.trim() !== '' && t('palette.count', groups[0]?.emoji.length ?? 0)}
      </p>
    </div>
  );
}
