import { useEffect, useRef } from 'react';

export interface ShortcutActions {
  palette: () => void;
  help: () => void;
  create: () => void;
  /** One conversation up (-1) or down (1) the list; only among unread ones if wanted. */
  step: (by: 1 | -1, unread: boolean) => void;
  focusComposer: () => void;
}

/** Keys that work everywhere. Nothing happens while a dialog is open or an input method composes. */
export function useShortcuts(actions: ShortcutActions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.isComposing || event.defaultPrevented) return;
      const open = document.querySelector('dialog[open]') !== null;
      const control = event.ctrlKey || event.metaKey;
      if (control && isKey(event, 'k', 'KeyK')) latest.current.palette();
      else if (open) return;
      else if (control && event.key === '/') latest.current.help();
      else if (event.key === '?' && !isWriting(event.target)) latest.current.help();
      else if (event.altKey && !control && isKey(event, 'n', 'KeyN')) latest.current.create();
      else if (event.altKey && event.key === 'ArrowDown') latest.current.step(1, event.shiftKey);
      else if (event.altKey && event.key === 'ArrowUp') latest.current.step(-1, event.shiftKey);
      else if (event.key === 'Escape' && !isWriting(event.target)) latest.current.focusComposer();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

/** By letter, and by place on keyboards that have other letters. */
function isKey(event: KeyboardEvent, letter: string, code: string): boolean {
  const latin = /^[a-z]$/i.test(event.key);
  return latin ? event.key.toLowerCase() === letter : event.code === code;
}

function isWriting(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
