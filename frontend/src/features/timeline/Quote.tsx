import { useEffect, useState } from 'react';
import { useChat, useI18n, useSession } from '@/app/context';
import { lineOf } from '@/lib/text';
import type { Message } from '@/protocol';
import { nameOf } from '@/store/selectors';

/** The quoted message of a reply; a click jumps to it. */
export function Quote({
  elementId,
  id,
  conversationId,
  onJump,
}: {
  elementId: string;
  id: string;
  conversationId: string;
  onJump: (seq: number) => void;
}) {
  const { t } = useI18n();
  const { history } = useSession();
  const inWindow = useChat((state) => state.windows[conversationId]?.items.find((one) => one.id === id));
  const [fetched, setFetched] = useState<Message | null>(null);
  useEffect(() => {
    if (inWindow !== undefined) return;
    let wanted = true;
    void history.message(id).then((message) => {
      if (wanted) setFetched(message);
    });
    return () => {
      wanted = false;
    };
  }, [history, id, inWindow]);
  const message = inWindow ?? fetched;
  const name = useChat((state) => (message === null ? '' : nameOf(state, state.people[message.sender_id])));
  const own = useChat((state) => message !== null && message.sender_id === state.me?.id);
  return (
    <button
      id={elementId}
      type="button"
      disabled={message === null}
      onClick={() => message !== null && onJump(message.seq)}
      className="mt-0.5 mb-1.5 block min-h-11 w-full max-w-full rounded-md border-s-3 border-accent bg-code px-2 py-1 text-start text-sm"
    >
      <span className="sr-only">{t('message.inReplyTo')}</span>
      <span className="block truncate font-semibold" dir="auto">
        {message === null ? t('message.quoteGone') : own ? t('message.you') : name}
      </span>
      <span className="block truncate opacity-85" dir="auto">
        {message === null ? '…' : message.deleted_at !== null ? t('message.deleted') : lineOf(message)}
      </span>
    </button>
  );
}
