import { useCallback, useState } from 'react';

/**
 * What opens beside a button belongs to the same part of the page as the button: put at the end of the page, it
 * would stand outside of every landmark. `mark` goes on an element around the button.
 */
export function useLandmark(): {
  mark: (element: HTMLElement | null) => void;
  container: HTMLElement | null;
} {
  const [container, setContainer] = useState<HTMLElement | null>(null);
  const mark = useCallback((element: HTMLElement | null) => {
    if (element !== null) setContainer(element.closest<HTMLElement>('main, nav, aside, header'));
  }, []);
  return { mark, container };
}
