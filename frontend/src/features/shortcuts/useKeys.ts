import { useMemo } from 'react';
import { useSettings } from '@/app/context';
import { ariaOf, combinationOf, type KeyPress, namesOf } from './keys';
import { type CommandId, commandFor, keysOf, type Place } from './registry';

export interface Keys {
  /** The command of a place that this press calls, or null. */
  called(event: KeyPress, place: Place): CommandId | null;
  /** The keys of a command as a person reads them; empty for none. */
  hint(id: CommandId): string;
  names(id: CommandId): string[];
  /** The value of `aria-keyshortcuts`, or undefined. */
  aria(id: CommandId): string | undefined;
}

/** The keys as they are now, with what a person chose instead. */
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
