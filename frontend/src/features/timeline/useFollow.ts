import type { Virtualizer } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useRef } from 'react';

/** The virtualised list of messages. */
export type List = Virtualizer<HTMLDivElement, HTMLDivElement>;

/** Pixels below the visible part, from the list's own data: reading the DOM would force a layout at each wheel step. */
export function distanceToEnd(list: List): number {
  return list.getTotalSize() - (list.scrollRect?.height ?? 0) - (list.scrollOffset ?? 0);
}

interface Options {
  list: List;
  scroller: RefObject<HTMLDivElement | null>;
  lastKey: string | undefined;
  /** Rows appended now are new messages, not a fetched page. */
  follows: boolean;
  /** The list was at its end before they arrived. */
  wasAtEnd: boolean;
}

/**
 * Keeps a list at its end there, in the frame in which a row is added. The library's own way checks again for several
 * frames, which delays the rest of the page. Returns a function to call on each scroll.
 */
export function useFollow({ list, scroller, lastKey, follows, wasAtEnd }: Options): () => void {
  const shown = useRef(lastKey);
  // True until the list reports its new position: a row that is higher than estimated is followed too.
  const pinned = useRef(false);
  const scrolled = useRef(() => {
    pinned.current = false;
  });
  useLayoutEffect(() => {
    const appended = shown.current !== undefined && lastKey !== shown.current;
    shown.current = lastKey;
    pinned.current = follows && (pinned.current || (appended && wasAtEnd));
    if (pinned.current && scroller.current !== null) scroller.current.scrollTop = list.getTotalSize();
  });
  return scrolled.current;
}
