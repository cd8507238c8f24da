import { useCallback, useEffect, useRef, useState } from 'react';
import { distanceToEnd, type List } from './useFollow';

/** Closer to the end of the list than this counts as being at the end. */
export const END_PX = 48;
/** How long the list must be away from its end before it counts: it takes a moment to follow a new row. */
const AWAY_MS = 100;

/** Returns whether the list is at its end, and a function to call after each change of the list. */
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
          // Scroll events arrive in the next frame, however late this runs.
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
