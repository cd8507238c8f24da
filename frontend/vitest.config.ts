import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vite.config.ts';

export default mergeConfig(
  base,
  defineConfig({
    test: {
      environment: 'jsdom',
      include: ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'],
      setupFiles: ['./test/setup.ts'],
      maxWorkers: 2,
      // These stop a test that waits forever; scripts/within.mjs stops one that loops forever.
      testTimeout: 20_000,
      hookTimeout: 20_000,
      teardownTimeout: 5_000,
      bail: 10,
      restoreMocks: true,
      css: false,
    },
  }),
);
