/** Servers that stop and restart: nothing is lost or duplicated. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { expectConnected, expectOnceInOrder, messages, newPerson, open, say, startWith } from './people';
import { test as base } from './test';

/** The command that starts a server for this test, which the test may kill. */
const COMMAND = process.env.CHAT_MVP_E2E_COMMAND ?? '../.venv/bin/chat-mvp';
/** Below the range for outgoing connections, so that none takes the port while the server is down. */
const PORTS = { from: 20_000, to: 30_000 };
/** A server that does not stop on request is killed after this. */
const OBEYS_WITHIN_MS = 60_000;

/** Finds an unused port. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const free = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

class OwnServer {
  #process: ChildProcess | null = null;

  constructor(
    readonly port: number,
    readonly folder: string,
  ) {}

  /** Resolves when it is ready; rejects when it exits instead. */
  async start(): Promise<void> {
    const process_ = spawn(COMMAND, ['serve', '--port', String(this.port), '--data-dir', this.#data], {
      env: { ...process.env, CHAT_MVP_RATE_LIMITS: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = process_;
    const log = createWriteStream(this.#log, { flags: 'a' });
    process_.stdout.pipe(log, { end: false });
    process_.stderr.pipe(log, { end: false });
    while (!(await this.#isReady())) {
      if (this.#ended) throw new Error(`The server exited during startup.\n${await this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(this.#ended, 'another server answers on this port').toBe(false);
  }

  /** Resolves when it has exited. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const process_ = this.#process;
    if (process_ === null || this.#ended) return;
    const ended = new Promise((resolve) => process_.once('exit', resolve));
    process_.kill(signal);
    await ended;
  }

  /** Kills it in any state. */
  async end(): Promise<void> {
    const kill = setTimeout(() => this.#process?.kill('SIGKILL'), OBEYS_WITHIN_MS);
    await this.stop('SIGTERM');
    clearTimeout(kill);
  }

  log(): Promise<string> {
    return readFile(this.#log, 'utf8');
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  get #log(): string {
    return join(this.folder, 'server.log');
  }

  get #ended(): boolean {
    const process_ = this.#process;
    return process_ === null || process_.exitCode !== null || process_.signalCode !== null;
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/health/ready`)).status === 200;
    } catch {
      return false;
    }
  }
}

/** Each test has its own server, which stops with it. A failed test shows the server's output. */
const test = base.extend<{ server: OwnServer }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright derives from it that no other fixture is needed.
  server: async ({}, use, info) => {
    const folder = await mkdtemp(join(tmpdir(), 'chat-mvp-e2e-'));
    const server = new OwnServer(await freePort(), folder);
    try {
      await server.start();
      await use(server);
    } finally {
      await server.end();
      if (info.status !== info.expectedStatus) console.log(await server.log());
      await rm(folder, { recursive: true, force: true });
    }
  },
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`nothing is lost or duplicated when the server stops by ${signal} and restarts`, async ({
    browser,
    server,
  }) => {
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
  });
}
