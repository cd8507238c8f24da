import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

/** Runs the measurements instead of the tests; used by tools/bench_web.py. */
export default defineConfig(base, { testMatch: '**/*.bench.ts', maxFailures: 1 });
