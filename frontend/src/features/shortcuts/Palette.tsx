import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { usePeopleSearch } from '@/features/people';
import { cx } from '@/lib/cx';
import { matches } from '@/lib/text';
import { listConversations, nameOf, titleOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { Dialog } from '@/ui/Dialog';

export interface Command {
  id: string;
  name: string;
  icon: ReactNode;
  keys?: string;
  run: () => void;
}

export interface PaletteProps {
  commands: Command[];
  onClose: () => void;
  onOpen: (conversationId: string) => void;
}

interface Entry {
  id: string;
  name: string;
  hint: string;
  picture: ReactNode;
  run: () => void;
}

const MOST = 8;

/** Ctrl+K: conversations, people and commands by the beginning of a word; works offline over what the device knows. */
export default function Palette({ commands, onClose, onOpen }: PaletteProps) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const id = useId();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const state = useChat(useShallow((all) => ({ ...all })));
  const { people } = usePeopleSearch(query);

  const entries = useMemo<Entry[]>(() => {
    const fits = (text: string) => query.trim() === '' || matches(text, query);
    const conversations = [...listConversations(state), ...listConversations(state, true)];
    const direct = new Set(conversations.map((one) => one.peer?.id));
    const found: Entry[] = conversations
      .filter((one) => fits(`${titleOf(state, one)} ${one.peer?.username ?? ''}`))
      .slice(0, MOST)
      .map((one) => ({
        id: one.id,
        name: titleOf(state, one),
        hint: one.peer == null ? t('details.members', one.member_count) : `@${one.peer.username}`,
        picture: (
          <Avatar
            id={one.peer?.id ?? one.id}
            name={titleOf(state, one)}
            url={one.peer?.avatar_url ?? one.avatar_url}
            size="small"
            group={one.kind !== 'direct'}
          />
        ),
        run: () => onOpen(one.id),
      }));
    const strangers: Entry[] = people
      .filter((one) => !direct.has(one.id))
      .slice(0, MOST)
      .map((one) => ({
        id: one.id,
        name: nameOf(state, one),
        hint: `@${one.username}`,
        picture: <Avatar id={one.id} name={nameOf(state, one)} url={one.avatar_url} size="small" />,
        run: () => void attempt(async () => onOpen(await actions.start({ kind: 'direct', user_id: one.id }))),
      }));
    const orders: Entry[] = commands
      .filter((one) => fits(one.name))
      .map((one) => ({
        id: one.id,
        name: one.name,
        hint: one.keys ?? '',
        picture: <span className="grid size-8 place-items-center text-muted">{one.icon}</span>,
        run: one.run,
      }));
    return [...found, ...strangers, ...orders];
  }, [actions, attempt, commands, onOpen, people, query, state, t]);

  const current = Math.min(active, Math.max(0, entries.length - 1));
  const choose = (entry: Entry | undefined) => {
    if (entry === undefined) return;
    onClose();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') setActive((current + 1) % Math.max(1, entries.length));
    else if (event.key === 'ArrowUp') setActive((current + entries.length - 1) % Math.max(1, entries.length));
    else if (event.key === 'Enter') choose(entries[current]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog title={t('palette.title')} hideTitle onClose={onClose}>
      <input
        type="text"
        value={query}
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        aria-label={t('palette.find')}
        placeholder={t('palette.find')}
        aria-autocomplete="list"
        aria-controls={`${id}-list`}
        aria-activedescendant={entries.length > 0 ? `${id}-${current}` : undefined}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="h-14 w-full border-b border-line bg-transparent px-5 text-lg outline-none placeholder:text-muted"
      />
      <div
        id={`${id}-list`}
        role="listbox"
        tabIndex={0}
        aria-label={t('palette.results')}
        className="max-h-[50dvh] min-h-14 overflow-y-auto p-2"
      >
        {entries.map((entry, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the text box handles the keys.
          // biome-ignore lint/a11y/useFocusableInteractive: the text box keeps the focus and names the active option.
          <div
            key={entry.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === current}
            ref={(element) => {
              if (index === current) element?.scrollIntoView?.({ block: 'nearest' });
            }}
            onPointerMove={() => setActive(index)}
            onClick={() => choose(entry)}
            className={cx(
              'flex min-h-11 items-center gap-3 rounded-lg px-3',
              index === current && 'bg-hover',
            )}
          >
            {entry.picture}
            <span className="min-w-0 flex-1 truncate font-medium" dir="auto">
              {entry.name}
            </span>
            <span className="text-sm text-muted">{entry.hint}</span>
          </div>
        ))}
      </div>
      {entries.length === 0 && (
        <p role="status" className="pb-6 text-center text-muted">
          {t('palette.none')}
        </p>
      )}
    </Dialog>
  );
}
