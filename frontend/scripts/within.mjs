/**
 * Runs a command and kills it, with everything it started, when it exceeds its time limit:
 *
 *   node scripts/within.mjs <seconds> <command of node_modules> [argument…]
 *
 * A test that never returns blocks its worker, so that the test runner's own limits have no effect.
 * Exits with the command's exit code, or with 124 after a timeout.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const TIME_IS_UP = 124;
const [seconds, name, ...rest] = process.argv.slice(2);
const folder = new URL(`../node_modules/${name}/`, import.meta.url);
const { bin } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
const script = fileURLToPath(new URL(typeof bin === 'string' ? bin : bin[name], folder));

// A process group of its own, so that the workers end too.
const child = spawn(process.execPath, [script, ...rest], {
  stdio: 'inherit',
  detached: process.platform !== 'win32',
});

function end() {
  if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(child.pid), '/t', '/f']);
  else process.kill(-child.pid, 'SIGKILL');
}

let late = false;
const timer = setTimeout(() => {
  late = true;
  console.error(`"${name} ${rest.join(' ')}" was ended after ${seconds} s.`);
  end();
}, Number(seconds) * 1000);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
child.on('exit', (code) => {
  clearTimeout(timer);
  process.exitCode = late ? TIME_IS_UP : (code ?? 1);
});
