import { useCallback, useState } from 'react';

/**
 * A popup belongs to the same landmark as its button. At the end of the page it would be outside every landmark.
 * `mark` is the ref of the element that contains the button.
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
