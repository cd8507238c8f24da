import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useI18n } from '@/app/context';
import { type Emoji, loadEmoji, searchEmoji } from './data';

const COLUMNS = 8;

/** A grid of all emoji with a search box; arrow keys move through it. */
export default function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t } = useI18n();
  const [all, setAll] = useState<Emoji[]>([]);
  const [query, setQuery] = useState('');
  const grid = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    void loadEmoji().then(setAll);
    // What opened around it had nothing to focus while this script was on its way.
    if (matchMedia('(pointer: fine)').matches) search.current?.focus();
  }, []);
  const groups = useMemo(() => {
    const found = searchEmoji(all, query);
    if (query.trim() !== '') return [found];
    const byGroup = new Map<number, Emoji[]>();
    for (const one of found) {
      const group = byGroup.get(one.group);
      if (group === undefined) byGroup.set(one.group, [one]);
      else group.push(one);
    }
    return [...byGroup.values()];
  }, [all, query]);

  const none = all.length > 0 && groups[0]?.length === 0;

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
    // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys of everything inside pass through here.
    <div onKeyDown={onKeyDown} className="flex h-80 w-[19.5rem] max-w-[calc(100vw-1rem)] flex-col">
      <div className="p-2">
        <input
          ref={search}
          type="text"
          aria-label={t('emoji.search')}
          placeholder={t('emoji.search')}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            const first = groups[0]?.[0];
            if (event.key === 'Enter' && first !== undefined) {
              event.preventDefault();
              onPick(first.char);
            }
          }}
          className="h-9 w-full rounded-lg border border-field-line bg-field px-3 text-sm placeholder:text-muted"
        />
      </div>
      <div ref={grid} className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        {groups.map((group) => (
          <div
            key={group[0]?.group ?? 0}
            className="grid grid-cols-8 border-line pb-1.5 [content-visibility:auto] not-first:border-t not-first:pt-1.5"
          >
            {group.map((one) => (
              <button
                key={one.char}
                type="button"
                // One stop of the Tab key for all of them; arrow keys go on from there.
                tabIndex={one === groups[0]?.[0] ? 0 : -1}
                aria-label={one.label}
                title={one.names[0] === undefined ? one.label : `:${one.names[0]}:`}
                onClick={() => onPick(one.char)}
                className="grid aspect-square place-items-center rounded-md text-xl hover:bg-hover"
              >
                {one.char}
              </button>
            ))}
          </div>
        ))}
        {none && <p className="py-8 text-center text-sm text-muted">{t('emoji.none')}</p>}
      </div>
      <p role="status" className="sr-only">
        {none ? t('emoji.none') : query.trim() !== '' && t('palette.count', groups[0]?.length ?? 0)}
      </p>
    </div>
  );
}
