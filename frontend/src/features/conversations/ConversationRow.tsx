import { BellOff, EllipsisVertical, Pin } from 'lucide-react';
import { memo } from 'react';
import { useChat, useI18n } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { usePresence, useTyping } from '@/features/presence';
import { cx } from '@/lib/cx';
import { countText, lineOf, oneLine } from '@/lib/text';
import { shortWhen } from '@/lib/time';
import type { Conversation } from '@/protocol';
import { deliveryOf, isMuted, nameOf, titleOf, unreadOf } from '@/store/selectors';
import { IconButton } from '@/ui/Button';
import { ConversationAvatar } from '@/ui/ConversationAvatar';
import { Menu, MenuItem } from '@/ui/Menu';
import { Ticks } from '@/ui/Ticks';
import { useOwnChoices } from './useOwnChoices';

export interface ConversationRowProps {
  conversation: Conversation;
  selected: boolean;
  onSelect: (id: string) => void;
  /** The position in a list of which only a part is rendered. */
  place?: RowPlace;
}

export interface RowPlace {
  index: number;
  of: number;
  measure: (element: HTMLLIElement | null) => void;
}

/** What the element of a row needs for measuring and positioning. */
function placed(place: RowPlace | undefined) {
  if (place === undefined) return {};
  const { index, of, measure } = place;
  return { ref: measure, 'data-index': index, 'aria-posinset': index + 1, 'aria-setsize': of };
}

/** One conversation of the list. A row that fails to render still links to it and does not affect the others. */
export const ConversationRow = memo(function ConversationRow(props: ConversationRowProps) {
  return (
    <ErrorBoundary of={props.conversation} fallback={() => <BrokenRow {...props} />}>
      <WholeRow {...props} />
    </ErrorBoundary>
  );
});

function BrokenRow({ conversation: { id }, selected, onSelect, place }: ConversationRowProps) {
  const { t } = useI18n();
  return (
    <li {...placed(place)}>
      <a
        href={`#/c/${id}`}
        aria-current={selected ? 'page' : undefined}
        onClick={(event) => {
          event.preventDefault();
          onSelect(id);
        }}
        className="flex min-h-15 items-center rounded-xl px-3 text-sm text-muted italic hover:bg-hover"
      >
        {t('conversations.unshowable')}
      </a>
    </li>
  );
}

function WholeRow({ conversation, selected, onSelect, place }: ConversationRowProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const title = useChat((state) => titleOf(state, conversation));
  const presence = usePresence(conversation.peer?.id);
  const last = conversation.last_message;
  const pending = useChat((state) => state.pending[conversation.id]?.at(-1));
  const when = pending?.created_at ?? last?.created_at ?? conversation.created_at;
  const muted = isMuted(conversation, Date.now());
  const { pinned } = conversation.me;
  const unread = useChat((state) => unreadOf(state, conversation));
  return (
    <li className="group relative" {...placed(place)}>
      <a
        href={`#/c/${conversation.id}`}
        aria-current={selected ? 'page' : undefined}
        aria-labelledby={`n-${conversation.id} p-${conversation.id} w-${conversation.id}`}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          onSelect(conversation.id);
        }}
        className={cx(
          'flex items-center gap-3 rounded-xl px-3 py-2.5 transition-colors',
          selected ? 'bg-selected' : 'hover:bg-hover',
        )}
      >
        <ConversationAvatar conversation={conversation} title={title} presence={presence.state} />
        <div className="min-w-0 flex-1">
          <div className="flex items-center gap-1.5">
            <span
              id={`n-${conversation.id}`}
              className={cx('min-w-0 flex-1 truncate', unread > 0 ? 'font-semibold' : 'font-medium')}
              dir="auto"
            >
              {title}
            </span>
            <span id={`w-${conversation.id}`} className="flex shrink-0 items-center gap-1.5">
              {muted && <Mark icon={<BellOff size={14} />} text={t('conversations.muted')} />}
              {pinned && <Mark icon={<Pin size={14} />} text={t('conversations.pinned')} />}
              <time dateTime={when} className="text-xs text-muted">
                {shortWhen(i18n, when)}
              </time>
            </span>
          </div>
          <div id={`p-${conversation.id}`} className="flex h-5.5 items-center gap-1.5 text-sm text-muted">
            <Preview conversation={conversation} />
            {unread > 0 && (
              <span
                className={cx(
                  BESIDE_MENU,
                  'ms-auto min-w-5 shrink-0 rounded-full px-1.5 text-center text-xs leading-5 font-semibold',
                  muted ? 'bg-hover text-muted' : 'bg-accent text-on-accent',
                )}
              >
                <span aria-hidden>{countText(unread, 99)}</span>
                <span className="sr-only">{t('conversations.unread', unread)}</span>
              </span>
            )}
          </div>
        </div>
      </a>
      <RowMenu conversation={conversation} title={title} />
    </li>
  );
}

function Mark({ icon, text }: { icon: React.ReactNode; text: string }) {
  return (
    <span className="shrink-0 text-muted" title={text}>
      <span aria-hidden>{icon}</span>
      <span className="sr-only">{text}</span>
    </span>
  );
}

/** The menu button appears over the end of the line. */
const BESIDE_MENU =
  'pointer-fine:group-hover:me-8 pointer-fine:group-has-focus-visible:me-8 pointer-fine:group-has-data-[state=open]:me-8';

/** Shown before the text, read after it. */
const FIRST = 'order-first shrink-0';

/** The second line: who is typing, else a draft, else the newest message. */
function Preview({ conversation }: { conversation: Conversation }) {
  const { t } = useI18n();
  const typing = useTyping(conversation.id);
  const me = useChat((state) => state.me?.id);
  const draft = useChat((state) => state.drafts[conversation.id] ?? '');
  const pending = useChat((state) => state.pending[conversation.id]?.at(-1));
  const last = conversation.last_message;
  const sender = useChat((state) =>
    last !== null && conversation.kind !== 'direct' ? nameOf(state, state.people[last.sender_id]) : '',
  );
  if (typing !== null) return <span className="truncate text-accent">{typing}</span>;
  if (draft.trim() !== '') {
    return (
      <span className="truncate">
        <span className="text-danger">{t('conversations.draft')}</span> {oneLine(draft)}
      </span>
    );
  }
  if (pending !== undefined) {
    return (
      <>
        <span className="truncate">{oneLine(pending.text)}</span>
        <Ticks delivery={pending.state === 'failed' ? 'failed' : 'sending'} className={FIRST} />
      </>
    );
  }
  if (last === null) return <span className="truncate italic">{t('conversations.empty')}</span>;
  if (last.deleted_at !== null) return <span className="truncate italic">{t('conversations.deleted')}</span>;
  const own = last.sender_id === me && last.kind === 'text';
  return (
    <>
      {!own && last.kind === 'text' && conversation.kind !== 'direct' && sender !== '…' && (
        // Separate from the text, which may have the other direction.
        <span className="-me-0.5 max-w-1/2 shrink-0 truncate" dir="auto">{`${sender}: `}</span>
      )}
      <span className="truncate" dir="auto">
        {lineOf(last)}
      </span>
      {own && <Ticks delivery={deliveryOf(last, conversation)} className={FIRST} />}
    </>
  );
}

function RowMenu({ conversation, title }: { conversation: Conversation; title: string }) {
  const { t } = useI18n();
  const choices = useOwnChoices(conversation);
  return (
    <div className="absolute end-2 bottom-1.5 opacity-0 group-has-focus-visible:opacity-100 group-hover:opacity-100 has-data-[state=open]:opacity-100 pointer-coarse:hidden">
      <Menu
        label={t('conversations.options', title)}
        trigger={
          <IconButton
            size="small"
            label={t('conversations.options', title)}
            className="size-7 border border-line bg-raised shadow-sm"
          >
            <EllipsisVertical size={16} aria-hidden />
          </IconButton>
        }
      >
        {choices.map((one) => (
          <MenuItem key={one.text} icon={<one.Icon size={16} />} onSelect={one.run}>
            {one.text}
          </MenuItem>
        ))}
      </Menu>
    </div>
  );
}
