import { useCallback, useEffect, useRef, useState } from 'react';
import { distanceToEnd, type List } from './useFollow';

/** Closer to the end of the list than this counts as being there. */
export const END_PX = 48;
/** How long somebody must be away from the end before it counts: a new row stands below it until the list has followed. */
const AWAY_MS = 100;

/** Whether somebody is at the end of the list, and what looks again after each change of the list. */
export function useAtEnd(): [boolean, (list: List) => void] {
  const [atEnd, setAtEnd] = useState(true);
  const waiting = useRef<ReturnType<typeof setTimeout> | null>(null);
  const rest = useCallback(() => {
    if (waiting.current !== null) clearTimeout(waiting.current);
    waiting.current = null;
  }, []);
  useEffect(() => rest, [rest]);
  const look = useCallback(
    (list: List) => {
      if (distanceToEnd(list) <= END_PX) {
        rest();
        setAtEnd(true);
      } else if (waiting.current === null) {
        waiting.current = setTimeout(() => {
          // Scrolling is told in the next frame, however late this comes.
          requestAnimationFrame(() => {
            waiting.current = null;
            setAtEnd(distanceToEnd(list) <= END_PX);
          });
        }, AWAY_MS);
      }
    },
    [rest],
  );
  return [atEnd, look];
}
