import { useEffect, useState } from 'react';
import { useSession } from '@/app/context';
import type { Row } from './rows';
import type { List } from './useFollow';

/** Opening a conversation takes a few frames to scroll into position; rows that pass meanwhile are not read. */
const RESTED_MS = 150;

interface Options {
  conversationId: string;
  virtualizer: List;
  rows: readonly Row[];
  atEnd: boolean;
  ready: boolean;
}

/** Marks visible messages as read: the newest row that stays visible while the page has the focus. */
export function useReadMark({ conversationId, virtualizer, rows, atEnd, ready }: Options): void {
  const { actions, link, store } = useSession();
  const looking = useLooking();
  const bottom = virtualizer.range?.endIndex ?? -1;
  const seen = newestSeq(rows, atEnd ? rows.length - 1 : bottom);
  useEffect(() => {
    if (!ready || !looking || seen === 0) return;
    const rested = setTimeout(() => actions.read(conversationId, seen), RESTED_MS);
    return () => clearTimeout(rested);
  }, [actions, conversationId, looking, ready, seen]);
  // A message that arrives in view is never unread: marked in the same moment, so that it is rendered only once.
  const watching = ready && looking && atEnd;
  useEffect(() => {
    if (!watching) return;
    return link.frames.on((frame) => {
      if (frame.type !== 'message.new' || frame.queued || store.getState().link !== 'online') return;
      const { conversation_id: id, seq, sender_id: sender } = frame.message;
      if (id === conversationId && sender !== store.getState().me?.id) actions.read(id, seq);
    });
  }, [actions, conversationId, link, store, watching]);
}

/** Of others: the user's own messages need no reading. */
function newestSeq(rows: readonly Row[], from: number): number {
  for (let index = from; index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.message != null && !row.own) return row.message.seq;
  }
  return 0;
}

/** Whether the user is at the page: it is visible and has the focus. */
export function useLooking(): boolean {
  const [looking, setLooking] = useState(isLooking);
  useEffect(() => {
    const update = () => setLooking(isLooking());
    window.addEventListener('focus', update);
    window.addEventListener('blur', update);
    document.addEventListener('visibilitychange', update);
    return () => {
      window.removeEventListener('focus', update);
      window.removeEventListener('blur', update);
      document.removeEventListener('visibilitychange', update);
    };
  }, []);
  return looking;
}

function isLooking(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus();
}
