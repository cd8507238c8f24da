import type { Virtualizer } from '@tanstack/react-virtual';
import { useEffect, useState } from 'react';
import { useChat, useSession } from '@/app/context';
import type { Row } from './rows';

interface Options {
  conversationId: string;
  virtualizer: Virtualizer<HTMLDivElement, Element>;
  rows: readonly Row[];
  atEnd: boolean;
  ready: boolean;
}

/** Marks as read what a person can see: the newest row in sight, while the page is in front of them. */
export function useReadMark({ conversationId, virtualizer, rows, atEnd, ready }: Options): void {
  const { actions } = useSession();
  const looking = useLooking();
  const lastSeq = useChat((state) => state.conversations[conversationId]?.last_seq ?? 0);
  const bottom = virtualizer.range?.endIndex ?? -1;
  const seen = atEnd ? lastSeq : newestSeq(rows, bottom);
  useEffect(() => {
    if (ready && looking && seen > 0) actions.read(conversationId, seen);
  }, [actions, conversationId, looking, ready, seen]);
}

function newestSeq(rows: readonly Row[], from: number): number {
  for (let index = from; index >= 0; index -= 1) {
    const seq = rows[index]?.message?.seq;
    if (seq !== undefined) return seq;
  }
  return 0;
}

/** Whether somebody sits in front of the page: it is in sight and has the focus. */
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
