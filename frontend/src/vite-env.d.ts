/// <reference types="vite/client" />

declare module 'virtual:emoji-data' {
  /** [emoji, label, group, shortcodes, tags], in the order people expect in a picker. */
  const rows: [string, string, number, string[], string[]][];
  export default rows;
}
