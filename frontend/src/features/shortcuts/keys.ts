/** Key combinations as text: "Mod+Shift+K". `Mod` is Ctrl, and Command on a Mac. Pure. */

export interface KeyPress {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Keys that are held while another one is pressed. */
const MODIFIERS = new Set(['Control', 'Meta', 'Alt', 'Shift', 'AltGraph', 'CapsLock', 'Dead', 'Process']);

/**
 * Returns the pressed combination, or null for a modifier alone. Letters count by what they print, and by position on
 * non-Latin keyboards. Shift counts with letters and named keys only, because it turns other keys into another sign.
 */
export function combinationOf(event: KeyPress): string | null {
  if (MODIFIERS.has(event.key)) return null;
  const key = keyOf(event);
  const shift = event.shiftKey && (key.length > 1 || /[A-Z]/.test(key));
  return [
    event.ctrlKey || event.metaKey ? 'Mod' : '',
    event.altKey ? 'Alt' : '',
    shift ? 'Shift' : '',
    key === ' ' ? 'Space' : key,
  ]
    .filter(Boolean)
    .join('+');
}

function keyOf(event: KeyPress): string {
  if (event.key.length > 1) return event.key;
  const place = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (place === undefined || /^[a-z]$/i.test(event.key)) return event.key.toUpperCase();
  return place;
}

/** Splits a combination; "+" itself may be the key. */
export function partsOf(combination: string): string[] {
  if (combination === '') return [];
  if (combination === '+') return ['+'];
  return combination.endsWith('++') ? [...combination.slice(0, -2).split('+'), '+'] : combination.split('+');
}

const SIGNS: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Delete: 'Del',
};

/** Returns the parts as printed on a keyboard. */
export function namesOf(combination: string, mac: boolean): string[] {
  return partsOf(combination).map((part) => {
    if (part === 'Mod') return mac ? '⌘' : 'Ctrl';
    if (part === 'Alt' && mac) return '⌥';
    return SIGNS[part] ?? part;
  });
}

/** Returns the value of `aria-keyshortcuts`. */
export function ariaOf(combination: string, mac: boolean): string {
  return partsOf(combination)
    .map((part) => (part === 'Mod' ? (mac ? 'Meta' : 'Control') : part))
    .join('+');
}
