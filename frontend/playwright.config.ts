import { defineConfig } from '@playwright/test';

const url = process.env.CHAT_MVP_E2E_URL;
if (url === undefined || url === '') {
  throw new Error('CHAT_MVP_E2E_URL is not set: start "chat-mvp serve" and give its address.');
}

/** Returns a time zone where it is about noon, so that no test crosses midnight, when "Today" changes. */
function whereItIsNoon(): string {
  const ahead = 12 - new Date().getUTCHours();
  // The names of these zones count westwards.
  return ahead === 0 ? 'UTC' : `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

export default defineConfig({
  testDir: './e2e',
  outputDir: './test-results',
  workers: 1,
  // These only stop hanging tests: a busy machine that is ten times slower passes too.
  timeout: 900_000,
  globalTimeout: 3_000_000,
  expect: { timeout: 120_000 },
  reporter: [['list']],
  use: {
    baseURL: url.endsWith('/') ? url : `${url}/`,
    locale: 'en-GB',
    timezoneId: whereItIsNoon(),
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHAT_MVP_CHROMIUM ?? '/usr/bin/chromium',
      args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    },
  },
});
