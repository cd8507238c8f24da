import { test as base } from '@playwright/test';

/** A test that closes all its pages: those of earlier tests would otherwise keep running and wait for the network. */
export const test = base.extend<{ tidy: undefined }>({
  tidy: [
    async ({ browser }, use) => {
      await use(undefined);
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    { auto: true },
  ],
});
