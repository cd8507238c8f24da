export { Connection } from './Connection';
export { usePresence } from './usePresence';
export { useTyping } from './useTyping';
