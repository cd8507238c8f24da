/// <reference types="vite/client" />

declare module 'virtual:emoji-data' {
  /** [emoji, label, group, shortcodes, tags], in the order people expect in a picker. */
  const rows: [string, string, import('./features/emoji/data').EmojiGroup, string[], string[]][];
  export default rows;
}
