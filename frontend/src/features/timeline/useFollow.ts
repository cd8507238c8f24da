import type { Virtualizer } from '@tanstack/react-virtual';
import { type RefObject, useLayoutEffect, useRef } from 'react';

/** The list of messages as the library keeps it. */
export type List = Virtualizer<HTMLDivElement, HTMLDivElement>;

/** Pixels below what is in sight, by what the list knows: asking the page would lay it out at every step of the wheel. */
export function distanceToEnd(list: List): number {
  return list.getTotalSize() - (list.scrollRect?.height ?? 0) - (list.scrollOffset ?? 0);
}

interface Options {
  list: List;
  scroller: RefObject<HTMLDivElement | null>;
  lastKey: string | undefined;
  /** Rows that come at the end now are news, not a page that was fetched. */
  follows: boolean;
  /** Somebody was at the end before they came. */
  wasAtEnd: boolean;
}

/**
 * Keeps somebody who is at the end of the list there, in the frame in which a row comes. The library's own way looks
 * again for several frames, in which nothing else of the page gets its turn. Returns what is to be told of each scroll.
 */
export function useFollow({ list, scroller, lastKey, follows, wasAtEnd }: Options): () => void {
  const shown = useRef(lastKey);
  // Until the list hears of its new place: a row that turns out higher than it was taken for is followed too.
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
