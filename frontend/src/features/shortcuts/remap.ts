/** What changing keys needs; apart from `index.ts`, so that it is no part of the first load. */
export { Kbd } from './Kbd';
export { combinationOf } from './keys';
export { COMMAND_IDS, COMMANDS, type CommandId, keysOf, refusal } from './registry';
export { useKeys } from './useKeys';
