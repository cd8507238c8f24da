import { useEffect, useRef } from 'react';
import type { Everywhere } from './registry';
import { useKeys } from './useKeys';

export type Runs = Record<Everywhere, () => void>;

/** Global shortcuts. While a dialog is open or an input method composes, only the switcher opens. */
export function useShortcuts(runs: Runs, onEscape: () => void): void {
  const keys = useKeys();
  const latest = useRef({ runs, onEscape, keys });
  latest.current = { runs, onEscape, keys };
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.isComposing || event.defaultPrevented) return;
      const now = latest.current;
      const open = document.querySelector('dialog[open]') !== null;
      const writing = isWriting(event.target);
      const called = now.keys.called(event, 'everywhere') as Everywhere | null;
      if (called !== null && (!open || called === 'palette')) now.runs[called]();
      else if (open || writing) return;
      else if (event.key === '?') now.runs.help();
      else if (event.key === 'Escape') now.onEscape();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
