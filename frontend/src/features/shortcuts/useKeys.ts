import { useMemo } from 'react';
import { useSettings } from '@/app/context';
import { ariaOf, combinationOf, type KeyPress, namesOf } from './keys';
import { type CommandId, commandFor, keysOf, type Place } from './registry';

export interface Keys {
  /** Returns the command of a scope that this key press calls, or null. */
  called(event: KeyPress, place: Place): CommandId | null;
  /** Returns the keys of a command for display; empty for none. */
  hint(id: CommandId): string;
  names(id: CommandId): string[];
  /** Returns the value of `aria-keyshortcuts`, or undefined. */
  aria(id: CommandId): string | undefined;
}

/** The current keys, including the user's changes. */
export function useKeys(): Keys {
  const [{ keys: own }] = useSettings();
  return useMemo(() => {
    const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
    const names = (id: CommandId) => namesOf(keysOf(id, own), mac);
    return {
      called: (event, place) => commandFor(combinationOf(event), place, own),
      names,
      hint: (id) => names(id).join(mac ? '' : '+'),
      aria: (id) => ariaOf(keysOf(id, own), mac) || undefined,
    };
  }, [own]);
}
