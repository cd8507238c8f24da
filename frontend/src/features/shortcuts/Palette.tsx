import {
  Activity,
  ChevronDown,
  ChevronsDown,
  ChevronsUp,
  ChevronUp,
  Keyboard,
  LogOut,
  PanelRight,
  Settings,
  SquarePen,
  SunMoon,
} from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useId, useMemo, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { usePeopleSearch } from '@/features/people';
import { cx } from '@/lib/cx';
import { matches, snippet } from '@/lib/text';
import { shortWhen } from '@/lib/time';
import type { Conversation, Message, User } from '@/protocol';
import { listConversations, nameOf, titleOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { ConversationAvatar } from '@/ui/ConversationAvatar';
import { Dialog } from '@/ui/Dialog';
import { COMMANDS, commandsOf, type Everywhere } from './registry';
import { useKeys } from './useKeys';
import { useMessageSearch } from './useMessageSearch';
import type { Runs } from './useShortcuts';

export interface PaletteProps {
  runs: Runs;
  onClose: () => void;
  /** Opens a conversation, at one of its messages. */
  onOpen: (conversationId: string, seq?: number) => void;
  /** A shared text to be placed: only conversations and users are offered. */
  sending?: string;
}

/** In display order. */
const GROUPS = ['conversations', 'people', 'messages', 'commands'] as const;
type Group = (typeof GROUPS)[number];

interface Entry {
  id: string;
  group: Group;
  name: string;
  /** A second line. */
  text?: string;
  hint: string;
  picture: ReactNode;
  run: () => void;
}

const MOST = 6;

const HEADING = 'px-3 py-1 text-xs font-semibold text-muted';

const ICONS: Record<Exclude<Everywhere, 'palette'>, ReactNode> = {
  help: <Keyboard size={18} />,
  new: <SquarePen size={18} />,
  settings: <Settings size={18} />,
  details: <PanelRight size={18} />,
  next: <ChevronDown size={18} />,
  previous: <ChevronUp size={18} />,
  nextUnread: <ChevronsDown size={18} />,
  previousUnread: <ChevronsUp size={18} />,
  theme: <SunMoon size={18} />,
  debug: <Activity size={18} />,
  signOut: <LogOut size={18} />,
};

/** Ctrl+K: conversations, users, messages and commands. Works offline with what the device has. */
export default function Palette({ runs, onClose, onOpen, sending }: PaletteProps) {
  const { t } = useI18n();
  const id = useId();
  const [query, setQuery] = useState('');
  const [active, setActive] = useState(0);
  const found = useEntries(query, runs, onOpen);
  const entries =
    sending === undefined
      ? found
      : found.filter((one) => one.group === 'conversations' || one.group === 'people');
  const label = t(sending === undefined ? 'palette.find' : 'palette.findPlace');

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
    // Tab would only leave the page.
    else if (event.key !== 'Tab') return;
    event.preventDefault();
  };

  return (
    <Dialog
      title={t(sending === undefined ? 'palette.title' : 'share.title')}
      hideTitle={sending === undefined}
      onClose={onClose}
    >
      {sending !== undefined && (
        <p className="mb-2 line-clamp-4 rounded-lg bg-code px-3 py-2 text-sm whitespace-pre-wrap" dir="auto">
          {sending}
        </p>
      )}
      <input
        type="text"
        role="combobox"
        value={query}
        data-autofocus
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        aria-label={label}
        placeholder={label}
        aria-autocomplete="list"
        aria-expanded={entries.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={entries.length > 0 ? `${id}-${current}` : undefined}
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="h-14 w-full border-b border-line bg-transparent px-5 text-lg outline-none placeholder:text-muted"
      />
      <div className="h-[min(50dvh,26rem)]">
        {entries.length > 0 ? (
          <div
            id={`${id}-list`}
            role="listbox"
            // Scrolls by the keys of the text box, which keeps the focus.
            tabIndex={-1}
            aria-label={t('palette.results')}
            className="h-full overflow-y-auto p-2"
          >
            {GROUPS.map((group) => {
              const first = entries.findIndex((entry) => entry.group === group);
              if (first === -1) return null;
              return (
                // biome-ignore lint/a11y/useSemanticElements: a list box contains groups, not field sets.
                <div key={group} role="group" aria-labelledby={`${id}-${group}`} className="pb-2 last:pb-0">
                  <p id={`${id}-${group}`} role="presentation" className={HEADING}>
                    {t(`palette.${group}`)}
                  </p>
                  {entries
                    .filter((entry) => entry.group === group)
                    .map((entry, at) => (
                      <Option
                        key={entry.id}
                        id={`${id}-${first + at}`}
                        entry={entry}
                        active={first + at === current}
                        onPoint={() => setActive(first + at)}
                        onChoose={() => choose(entry)}
                      />
                    ))}
                </div>
              );
            })}
          </div>
        ) : (
          <p className="px-5 pt-16 text-center text-muted">{t('palette.none')}</p>
        )}
      </div>
      <p role="status" className="sr-only">
        {entries.length === 0 ? t('palette.none') : t('palette.count', entries.length)}
      </p>
    </Dialog>
  );
}

interface OptionProps {
  id: string;
  entry: Entry;
  active: boolean;
  onPoint: () => void;
  onChoose: () => void;
}

function Option({ id, entry, active, onPoint, onChoose }: OptionProps) {
  const { t } = useI18n();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the text box handles the keys.
    // biome-ignore lint/a11y/useFocusableInteractive: the text box keeps the focus and names the active option.
    <div
      id={id}
      role="option"
      aria-selected={active}
      ref={(element) => {
        if (active) element?.scrollIntoView?.({ block: 'nearest' });
      }}
      onPointerMove={onPoint}
      onClick={onChoose}
      className={cx('flex min-h-11 items-center gap-3 rounded-lg px-3 py-1', active && 'bg-selected')}
    >
      <ErrorBoundary of={entry} fallback={() => <span className="italic">{t('message.unshowable')}</span>}>
        <Shown entry={entry} />
      </ErrorBoundary>
    </div>
  );
}

function Shown({ entry }: { entry: Entry }) {
  return (
    <>
      {entry.picture}
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium" dir="auto">
          {entry.name}
        </span>
        {entry.text !== undefined && (
          <span className="block truncate text-sm text-muted" dir="auto">
            {entry.text}
          </span>
        )}
      </span>
      <span className="max-w-[45%] truncate text-sm text-muted">{entry.hint}</span>
    </>
  );
}

/** Returns the matches by kind: conversations, users, messages, commands. */
function useEntries(query: string, runs: Runs, onOpen: PaletteProps['onOpen']): Entry[] {
  const i18n = useI18n();
  const { t } = i18n;
  const { actions } = useSession();
  const keys = useKeys();
  const attempt = useAttempt();
  const state = useChat(useShallow((all) => ({ ...all })));
  const { people } = usePeopleSearch(query);
  const messages = useMessageSearch(query);

  return useMemo<Entry[]>(() => {
    const fits = (text: string) => query.trim() === '' || matches(text, query);
    const conversations = [...listConversations(state), ...listConversations(state, true)];
    const direct = new Set(conversations.map((one) => one.peer?.id));
    const ofConversation = (one: Conversation): Entry => ({
      id: one.id,
      group: 'conversations',
      name: titleOf(state, one),
      hint: one.peer == null ? t('details.members', one.member_count) : `@${one.peer.username}`,
      picture: <ConversationAvatar conversation={one} title={titleOf(state, one)} size="small" />,
      run: () => onOpen(one.id),
    });
    const ofPerson = (one: User): Entry => ({
      id: one.id,
      group: 'people',
      name: nameOf(state, one),
      hint: `@${one.username}`,
      picture: <Avatar id={one.id} name={nameOf(state, one)} url={one.avatar_url} size="small" />,
      run: () => void attempt(async () => onOpen(await actions.start({ kind: 'direct', user_id: one.id }))),
    });
    const ofMessage = (one: Message): Entry => {
      const own = one.sender_id === state.me?.id;
      const sender = (own ? state.me : undefined) ?? state.people[one.sender_id];
      const conversation = state.conversations[one.conversation_id];
      const writer = nameOf(state, sender);
      const name = own ? t('message.you') : writer;
      const place = conversation === undefined ? '' : titleOf(state, conversation);
      return {
        id: one.id,
        group: 'messages',
        name: snippet(one.text, query),
        text: place === '' || place === name ? name : `${name} · ${place}`,
        hint: shortWhen(i18n, one.created_at),
        picture: <Avatar id={one.sender_id} name={writer} url={sender?.avatar_url ?? null} size="small" />,
        run: () => onOpen(one.conversation_id, one.seq),
      };
    };
    const ofCommand = (one: Exclude<Everywhere, 'palette'>): Entry => ({
      id: one,
      group: 'commands',
      name: t(COMMANDS[one].name),
      hint: keys.hint(one),
      picture: <span className="grid size-8 place-items-center text-muted">{ICONS[one]}</span>,
      run: runs[one],
    });
    return [
      ...conversations
        .filter((one) =>
          fits(`${titleOf(state, one)} ${one.peer?.username ?? ''} ${one.peer?.display_name ?? ''}`),
        )
        .slice(0, MOST)
        .map(ofConversation),
      ...people
        .filter((one) => !direct.has(one.id))
        .slice(0, MOST)
        .map(ofPerson),
      ...messages.map(ofMessage),
      ...(commandsOf('everywhere') as Everywhere[])
        .filter((one) => one !== 'palette')
        .filter((one) => fits(t(COMMANDS[one].name)))
        .map(ofCommand),
    ];
  }, [actions, attempt, i18n, keys, messages, onOpen, people, query, runs, state, t]);
}
