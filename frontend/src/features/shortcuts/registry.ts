/**
 * All commands of the interface. The keys, the switcher (Ctrl+K), the menus, the help and the settings read them from
 * here. Pure data, and the rules for changed keys.
 */
import type { TextKey } from '@/locales/en';
import { partsOf } from './keys';

/** The scope of a command's keys: the whole window, the message box, or a focused message. */
export type Place = 'everywhere' | 'composer' | 'message';

type PlainKey = {
  [Key in TextKey]: typeof import('@/locales/en').en[Key] extends string ? Key : never;
}[TextKey];

interface Spec {
  place: Place;
  name: PlainKey;
  /** The default combination; empty for none. */
  keys: string;
}

export const COMMANDS = {
  palette: { place: 'everywhere', name: 'shortcuts.palette', keys: 'Mod+K' },
  help: { place: 'everywhere', name: 'shortcuts.help', keys: 'Mod+/' },
  new: { place: 'everywhere', name: 'conversations.new', keys: 'Alt+N' },
  settings: { place: 'everywhere', name: 'settings.title', keys: 'Mod+,' },
  details: { place: 'everywhere', name: 'shortcuts.details', keys: 'Mod+.' },
  next: { place: 'everywhere', name: 'shortcuts.nextConversation', keys: 'Alt+ArrowDown' },
  previous: { place: 'everywhere', name: 'shortcuts.previousConversation', keys: 'Alt+ArrowUp' },
  nextUnread: { place: 'everywhere', name: 'shortcuts.nextUnread', keys: 'Alt+Shift+ArrowDown' },
  previousUnread: { place: 'everywhere', name: 'shortcuts.previousUnread', keys: 'Alt+Shift+ArrowUp' },
  theme: { place: 'everywhere', name: 'shortcuts.theme', keys: '' },
  debug: { place: 'everywhere', name: 'debug.title', keys: '' },
  signOut: { place: 'everywhere', name: 'auth.signOut', keys: '' },
  bold: { place: 'composer', name: 'shortcuts.bold', keys: 'Mod+B' },
  italic: { place: 'composer', name: 'shortcuts.italic', keys: 'Mod+I' },
  code: { place: 'composer', name: 'shortcuts.code', keys: 'Mod+E' },
  reply: { place: 'message', name: 'message.reply', keys: 'R' },
  edit: { place: 'message', name: 'message.edit', keys: 'E' },
  react: { place: 'message', name: 'message.react', keys: '+' },
  copy: { place: 'message', name: 'message.copy', keys: 'C' },
  pin: { place: 'message', name: 'message.pin', keys: 'P' },
  unread: { place: 'message', name: 'message.markUnread', keys: 'U' },
  info: { place: 'message', name: 'message.info', keys: 'I' },
  delete: { place: 'message', name: 'message.delete', keys: 'Delete' },
} as const satisfies Record<string, Spec>;

export type CommandId = keyof typeof COMMANDS;
export type Everywhere = {
  [Id in CommandId]: (typeof COMMANDS)[Id]['place'] extends 'everywhere' ? Id : never;
}[CommandId];

/** Keys that the user changed, by command. */
export type OwnKeys = Partial<Record<string, string>>;

export const COMMAND_IDS = Object.keys(COMMANDS) as CommandId[];
export const PLACES: readonly Place[] = ['everywhere', 'composer', 'message'];

export function commandsOf(place: Place): CommandId[] {
  return COMMAND_IDS.filter((id) => COMMANDS[id].place === place);
}

export function keysOf(id: CommandId, own: OwnKeys): string {
  return own[id] ?? COMMANDS[id].keys;
}

/** Returns the command of a scope that a combination calls, or null. */
export function commandFor(combination: string | null, place: Place, own: OwnKeys): CommandId | null {
  if (combination === null) return null;
  return commandsOf(place).find((id) => keysOf(id, own) === combination) ?? null;
}

export type Refusal = { reason: 'taken'; by: CommandId } | { reason: 'reserved' } | { reason: 'modifier' };

/** Fixed keys that move, send, or close. */
const RESERVED = new Set([
  'Escape',
  'Enter',
  'Tab',
  'Space',
  'Backspace',
  'Home',
  'End',
  'PageUp',
  'PageDown',
]);

/** Returns why a command cannot have a combination, or null when it can. */
export function refusal(id: CommandId, combination: string, own: OwnKeys): Refusal | null {
  const parts = partsOf(combination);
  const key = parts.at(-1) ?? '';
  const held = parts.includes('Mod') || parts.includes('Alt');
  if (RESERVED.has(key) || (!held && (/^Arrow/.test(key) || /^[JK?]$/.test(key))))
    return { reason: 'reserved' };
  const { place } = COMMANDS[id];
  // Without Ctrl or Alt it would type text into a message; function keys type nothing.
  if (place !== 'message' && !held && !/^F\d+$/.test(key)) return { reason: 'modifier' };
  const by = COMMAND_IDS.find(
    (other) =>
      other !== id &&
      keysOf(other, own) === combination &&
      (COMMANDS[other].place === place || place === 'everywhere' || COMMANDS[other].place === 'everywhere'),
  );
  return by === undefined ? null : { reason: 'taken', by };
}
