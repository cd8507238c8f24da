export type { Everywhere, OwnKeys } from './registry';
export { useKeys } from './useKeys';
export { type Runs, useShortcuts } from './useShortcuts';
