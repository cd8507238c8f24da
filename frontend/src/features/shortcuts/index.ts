export type { Command } from './Palette';
export { useShortcuts } from './useShortcuts';
