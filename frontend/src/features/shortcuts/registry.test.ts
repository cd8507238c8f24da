import { describe, expect, it } from 'vitest';
import { ariaOf, combinationOf, type KeyPress, namesOf } from './keys';
import { COMMAND_IDS, commandFor, keysOf, refusal } from './registry';

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...held };
}

describe('combinations', () => {
  it.each([
    [press('k', { ctrlKey: true }), 'Mod+K'],
    [press('k', { metaKey: true }), 'Mod+K'],
    [press('X', { ctrlKey: true, shiftKey: true }), 'Mod+Shift+X'],
    [press('ArrowDown', { altKey: true, shiftKey: true }), 'Alt+Shift+ArrowDown'],
    [press('r'), 'R'],
    // A German keyboard needs Shift for the slash, an American one for the plus.
    [press('/', { ctrlKey: true, shiftKey: true }), 'Mod+/'],
    [press('+', { shiftKey: true }), '+'],
    // Greek and Cyrillic keyboards: by position.
    [press('κ', { code: 'KeyK', ctrlKey: true }), 'Mod+K'],
    [press('к', { code: 'KeyR' }), 'R'],
    [press(' '), 'Space'],
  ])('%o is %s', (event, combination) => {
    expect(combinationOf(event)).toBe(combination);
  });

  it('are null for a modifier alone', () => {
    expect(combinationOf(press('Shift', { shiftKey: true }))).toBeNull();
  });

  it('are shown as printed on the keyboard', () => {
    expect(namesOf('Mod+Alt+ArrowUp', false)).toEqual(['Ctrl', 'Alt', '↑']);
    expect(namesOf('Mod++', true)).toEqual(['⌘', '+']);
    expect(ariaOf('Mod+Shift+K', false)).toBe('Control+Shift+K');
  });
});

describe('the registry', () => {
  it('has no two commands of one scope with the same keys', () => {
    for (const id of COMMAND_IDS) {
      const keys = keysOf(id, {});
      if (keys !== '') expect(refusal(id, keys, {}), id).toBeNull();
    }
  });

  it('finds the command of a scope, and another after the user changed the keys', () => {
    expect(commandFor('Mod+K', 'everywhere', {})).toBe('palette');
    expect(commandFor('Mod+K', 'message', {})).toBeNull();
    const own = { palette: 'Mod+J', reply: 'A' };
    expect(commandFor('Mod+K', 'everywhere', own)).toBeNull();
    expect(commandFor('Mod+J', 'everywhere', own)).toBe('palette');
    expect(commandFor('A', 'message', own)).toBe('reply');
  });

  it('refuses keys in use, in the same scope or everywhere', () => {
    expect(refusal('new', 'Mod+K', {})).toEqual({ reason: 'taken', by: 'palette' });
    expect(refusal('bold', 'Mod+K', {})).toEqual({ reason: 'taken', by: 'palette' });
    expect(refusal('help', 'Mod+B', {})).toEqual({ reason: 'taken', by: 'bold' });
    expect(refusal('reply', 'E', {})).toEqual({ reason: 'taken', by: 'edit' });
    // Keys that were moved away are free.
    expect(refusal('new', 'Mod+K', { palette: 'Mod+J' })).toBeNull();
  });

  it('refuses keys that move, send or close, and keys that type text', () => {
    expect(refusal('reply', 'Enter', {})).toEqual({ reason: 'reserved' });
    expect(refusal('reply', 'J', {})).toEqual({ reason: 'reserved' });
    expect(refusal('reply', 'ArrowUp', {})).toEqual({ reason: 'reserved' });
    expect(refusal('new', 'N', {})).toEqual({ reason: 'modifier' });
    expect(refusal('new', 'F2', {})).toBeNull();
  });
});
