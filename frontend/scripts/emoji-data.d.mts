import type { Plugin } from 'vite';

export function emojiData(): Plugin;
