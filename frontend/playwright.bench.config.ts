import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

/** Measuring instead of testing: tools/bench_web.py runs this. */
export default defineConfig(base, { testMatch: '**/*.bench.ts', maxFailures: 1 });
