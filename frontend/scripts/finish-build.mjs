/**
 * Runs after Vite: records all sizes for the client's own panel, and builds the service worker with the list of files
 * to cache. Files are compressed when they are added to the Python package (tools/build_web.py).
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { largestOf, measureSizes } from './sizes.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const source = fileURLToPath(new URL('../src/sw/worker.ts', import.meta.url));

async function files(folder = dist) {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
  return (await Promise.all(nested)).flat();
}

/** The page loads fonts as its texts need them; caching the scripts of all languages would be wasteful. */
function isKept(path) {
  return !/\.map$|(cyrillic|greek|vietnamese)|\/sw\.js$/.test(path);
}

async function buildWorker() {
  const kept = (await files()).filter(isKept).sort();
  const hash = createHash('sha256');
  for (const path of kept) hash.update(relative(dist, path)).update(await readFile(path));
  const urls = kept.map((path) => `./${relative(dist, path).replaceAll('\\', '/')}`);
  await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: {
      __FILES__: JSON.stringify(urls.map((url) => (url === './index.html' ? './' : url))),
      __VERSION__: JSON.stringify(hash.digest('hex').slice(0, 12)),
    },
    build: {
      outDir: dist,
      emptyOutDir: false,
      target: 'es2022',
      lib: { entry: source, formats: ['es'], fileName: () => 'sw.js' },
    },
  });
}

const sizes = largestOf(await measureSizes(new URL('../dist/', import.meta.url)));
await writeFile(join(dist, 'sizes.json'), `${JSON.stringify(sizes)}\n`);
await buildWorker();
