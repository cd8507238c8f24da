import { fileURLToPath } from 'node:url';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { emojiData } from './scripts/emoji-data.mjs';

const target = process.env.CHAT_MVP_DEV_TARGET ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // Relative, so that the same build works at the root and below any path.
  base: './',
  plugins: [react(), tailwind(), emojiData()],
  resolve: {
    alias: [
      { find: '@', replacement: fileURLToPath(new URL('./src', import.meta.url)) },
      // The package's default build targets browsers of 2015; this other build of it is smaller.
      { find: /^dexie$/, replacement: 'dexie/dist/modern/dexie.mjs' },
    ],
  },
  build: {
    outDir: 'dist',
    target: 'es2022',
    // A data: URL would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/api': { target },
      '/schema': { target },
      '/health': { target },
      // The server compares Origin with its own address, so the proxy presents itself as the target.
      '/ws': { target, ws: true, changeOrigin: true, headers: { origin: target } },
    },
  },
});
