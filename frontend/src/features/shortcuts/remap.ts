/** Functions for changing keys; separate from `index.ts`, so that they are not part of the first load. */
export { Kbd } from './Kbd';
export { combinationOf } from './keys';
export { COMMAND_IDS, COMMANDS, type CommandId, keysOf, refusal } from './registry';
export { useKeys } from './useKeys';
