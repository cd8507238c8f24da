import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { expectConnected, expectOnceInOrder, messages, newPerson, open, say, startWith } from './people';

/** The command that starts a server of the test's own, which it may kill. */
const COMMAND = process.env.CHAT_MVP_E2E_COMMAND ?? '../.venv/bin/chat-mvp';

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

class OwnServer {
  #process: ChildProcess | null = null;

  constructor(
    readonly port: number,
    readonly folder: string,
  ) {}

  async start(): Promise<void> {
    const process_ = spawn(COMMAND, ['serve', '--port', String(this.port), '--data-dir', this.folder], {
      env: { ...process.env, CHAT_MVP_RATE_LIMITS: 'off' },
      stdio: 'ignore',
    });
    this.#process = process_;
    await expect(async () => {
      expect((await fetch(`http://127.0.0.1:${this.port}/health/ready`)).status).toBe(200);
    }).toPass({ timeout: 120_000 });
    expect(this.#ended, 'another server answers on this port').toBe(false);
  }

  get #ended(): boolean {
    const process_ = this.#process;
    return process_ === null || process_.exitCode !== null || process_.signalCode !== null;
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const process_ = this.#process;
    if (process_ === null || this.#ended) return;
    const ended = new Promise((resolve) => process_.once('exit', resolve));
    process_.kill(signal);
    await ended;
  }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`nothing is lost or doubled when the server ends by ${signal} and comes back`, async ({ browser }) => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-mvp-e2e-'));
    const server = new OwnServer(await freePort(), folder);
    try {
      await server.start();
      const baseURL = `http://127.0.0.1:${server.port}/`;
      const anna = await newPerson(browser, 'anna', { baseURL });
      const ben = await newPerson(browser, 'ben', { baseURL });
      await startWith(anna.page, ben.name);
      await say(anna.page, 'before the end');
      await open(ben.page, anna.name);
      await expect(messages(ben.page).getByText('before the end')).toBeVisible();

      await server.stop(signal);
      await expect(anna.page.getByRole('status', { name: 'Connection' })).toContainText('Offline');
      for (const text of ['one', 'two', 'three']) await say(anna.page, `while it was away ${text}`);
      await expect(messages(anna.page).getByText('Sending')).toHaveCount(3);

      await server.start();
      await expectConnected(anna.page);
      await expectConnected(ben.page);
      for (const page of [anna.page, ben.page]) {
        await expectOnceInOrder(anna.page, page, [
          'while it was away one',
          'while it was away two',
          'while it was away three',
        ]);
      }
      await expect(messages(anna.page).getByText('Sending')).toHaveCount(0);
    } finally {
      await server.stop('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    }
  });
}
