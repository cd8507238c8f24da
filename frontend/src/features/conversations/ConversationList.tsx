import { Archive, Search, SquarePen } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useChat, useI18n } from '@/app/context';
import { cx } from '@/lib/cx';
import { matches } from '@/lib/text';
import { listConversations, titleOf } from '@/store/selectors';
import { IconButton } from '@/ui/Button';
import { AccountMenu } from './AccountMenu';
import { ConversationRows } from './ConversationRows';
import { NothingOpen } from './NothingOpen';

const NO_TITLES: string[] = [];

export interface ConversationListProps {
  selected: string | null;
  onSelect: (id: string) => void;
  onNew: () => void;
  onSettings: () => void;
  onSignOut: () => void;
}

export function ConversationList({
  selected,
  onSelect,
  onNew,
  onSettings,
  onSignOut,
}: ConversationListProps) {
  const { t } = useI18n();
  const [query, setQuery] = useState('');
  const [archiveOpen, setArchiveOpen] = useState(false);
  const live = useChat(useShallow((state) => listConversations(state)));
  const archived = useChat(useShallow((state) => listConversations(state, true)));
  // A search includes the archive, and an open conversation never disappears from the list.
  const withArchive = archiveOpen || query !== '' || archived.some((one) => one.id === selected);
  const conversations = useMemo(
    () => (withArchive ? [...live, ...archived] : live),
    [withArchive, live, archived],
  );
  const titles = useChat(
    useShallow((state) => (query === '' ? NO_TITLES : conversations.map((one) => titleOf(state, one)))),
  );
  const loaded = useChat((state) => state.loaded);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useMemo(
    () => conversations.filter((_, index) => query === '' || matches(titles[index] ?? '', query)),
    [conversations, titles, query],
  );
  return (
    <>
      <header className="flex items-center gap-1 px-3 pt-3 pb-2">
        <AccountMenu onSettings={onSettings} onSignOut={onSignOut} />
        <IconButton label={t('conversations.new')} onClick={onNew}>
          <SquarePen size={20} aria-hidden />
        </IconButton>
      </header>
      <nav className="flex min-h-0 flex-1 flex-col">
        <div className="relative px-3 pb-2">
          <Search
            size={16}
            aria-hidden
            className="absolute start-6 top-2.5 text-muted pointer-coarse:top-3.5"
          />
          <input
            type="search"
            aria-label={t('conversations.search')}
            placeholder={t('conversations.search')}
            value={query}
            onChange={(event) => setQuery(event.target.value)}
            onKeyDown={(event) => {
              const first = shown[0];
              if (event.key === 'Enter' && first !== undefined) onSelect(first.id);
              if (event.key === 'Escape') setQuery('');
            }}
            className="h-9 w-full rounded-lg pointer-coarse:h-11 border border-transparent bg-hover ps-9 pe-3 text-sm placeholder:text-muted focus:border-field-line"
          />
        </div>
        <div
          ref={scroller}
          className="min-h-0 flex-1 overflow-y-auto px-2 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
        >
          <ConversationRows
            conversations={shown}
            selected={selected}
            onSelect={onSelect}
            scroller={scroller}
          />
          {archived.length > 0 && query === '' && (
            <button
              type="button"
              aria-expanded={withArchive}
              onClick={() => setArchiveOpen(!archiveOpen)}
              className="mt-2 flex min-h-10 pointer-coarse:min-h-11 w-full items-center gap-3 rounded-xl px-3 text-sm text-muted hover:bg-hover hover:text-ink"
            >
              <Archive size={16} aria-hidden />
              {t('conversations.archived', archived.length)}
            </button>
          )}
          {shown.length === 0 && loaded && (
            <p className={cx('px-4 py-10 text-center text-sm text-muted', query === '' && 'max-sm:hidden')}>
              {query === '' ? t('conversations.none') : t('conversations.noMatch')}
            </p>
          )}
          {shown.length === 0 && loaded && query === '' && (
            // On a wide screen the same is shown beside the list.
            <div className="grid h-3/4 sm:hidden">
              <NothingOpen onNew={onNew} />
            </div>
          )}
        </div>
      </nav>
    </>
  );
}
