import { ChevronDown, Pin } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useChat, useI18n, useSession } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { cx } from '@/lib/cx';
import { lineOf } from '@/lib/text';
import { shortWhen } from '@/lib/time';
import type { Message } from '@/protocol';
import { nameOf } from '@/store/selectors';

/** The pinned messages of a conversation, newest first; a click jumps there. */
export function PinnedMessages({
  conversationId,
  onOpen,
}: {
  conversationId: string;
  onOpen: (seq: number) => void;
}) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  const pinned = usePinned(conversationId);
  return (
    <section>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-11 w-full items-center gap-3 rounded-lg px-3 text-start hover:bg-hover"
      >
        <Pin size={18} aria-hidden className="text-muted" />
        <span className="flex-1">{t('details.pinned')}</span>
        {pinned.length > 0 && <span className="text-sm text-muted">{pinned.length}</span>}
        <ChevronDown size={16} aria-hidden className={cx('text-muted', open && 'rotate-180')} />
      </button>
      {open && pinned.length === 0 && (
        <p className="px-3 pb-2 text-sm text-muted">{t('details.pinned.none')}</p>
      )}
      {open && pinned.length > 0 && (
        <ul aria-label={t('details.pinned')} className="flex flex-col gap-1 pb-2">
          {pinned.map((one) => (
            <ErrorBoundary
              key={one.id}
              of={one}
              fallback={() => <li className="px-3 py-2 text-sm italic">{t('message.unshowable')}</li>}
            >
              <PinnedRow message={one} onOpen={() => onOpen(one.seq)} />
            </ErrorBoundary>
          ))}
        </ul>
      )}
    </section>
  );
}

function PinnedRow({ message, onOpen }: { message: Message; onOpen: () => void }) {
  const i18n = useI18n();
  const own = useChat((state) => message.sender_id === state.me?.id);
  const name = useChat((state) => nameOf(state, state.people[message.sender_id]));
  return (
    <li>
      <button
        type="button"
        onClick={onOpen}
        className="block w-full rounded-lg bg-raised px-3 py-2 text-start hover:bg-hover"
      >
        <span className="flex items-baseline gap-2 text-sm">
          <span className="min-w-0 flex-1 truncate font-semibold" dir="auto">
            {own ? i18n.t('message.you') : name}
          </span>
          <span className="shrink-0 text-xs text-muted">{shortWhen(i18n, message.created_at)}</span>
        </span>
        <span className="line-clamp-2 text-sm wrap-anywhere" dir="auto">
          {lineOf(message)}
        </span>
      </button>
    </li>
  );
}

/** The delay after a change before the next request, so that a busy conversation does not send one for each message. */
const REFRESH_AFTER_MS = 500;

/** What the device has, then what the server has, corrected by what is on the screen, which is never older. */
function usePinned(conversationId: string): Message[] {
  const { history } = useSession();
  const [kept, setKept] = useState<Message[]>([]);
  const shown = useChat(
    useShallow((state) => state.windows[conversationId]?.items.filter((one) => one.pinned) ?? []),
  );
  const unpinned = useChat(
    useShallow((state) => {
      const here = new Map(state.windows[conversationId]?.items.map((one) => [one.id, one.pinned]));
      return kept.filter((one) => here.get(one.id) === false).map((one) => one.id);
    }),
  );
  const rev = useChat((state) => state.conversations[conversationId]?.rev);
  const asked = useRef<string>(undefined);
  // Read again after each change, also of messages that are not on the screen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    let wanted = true;
    const show = (found: Message[]) => {
      if (wanted) setKept(found);
    };
    const isFirst = asked.current !== conversationId;
    asked.current = conversationId;
    // The device has only what was read here: shown immediately, and when the server cannot be reached.
    const shown = isFirst ? history.pinned(conversationId).then(show) : Promise.resolve();
    const timer = setTimeout(
      () => {
        shown.then(() => history.fetchPinned(conversationId)).then(show, () => undefined);
      },
      isFirst ? 0 : REFRESH_AFTER_MS,
    );
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [history, conversationId, rev]);
  return useMemo(() => {
    const gone = new Set(unpinned);
    const byId = new Map(kept.filter((one) => !gone.has(one.id)).map((one) => [one.id, one]));
    for (const one of shown) byId.set(one.id, one);
    return [...byId.values()].sort((a, b) => b.seq - a.seq);
  }, [kept, shown, unpinned]);
}
