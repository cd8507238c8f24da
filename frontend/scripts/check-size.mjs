/** Fails when what a browser has to load before the first picture, or any later part, is larger than agreed. */
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const LIMITS_KB = {
  'first load JavaScript': 170,
  'first load CSS': 12,
  'a lazy part': 60,
  'emoji names': 110,
};

const gz = async (path) => gzipSync(await readFile(new URL(path, dist)), { level: 9 }).length / 1000;

const html = await readFile(new URL('index.html', dist), 'utf8');
const first = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map((match) => match[1]);
const assets = (await readdir(new URL('assets/', dist))).filter((name) => /\.(js|css)$/.test(name));
const lazy = assets.map((name) => `assets/${name}`).filter((path) => !first.includes(path));

const sum = async (ending) => {
  let total = 0;
  for (const path of first.filter((one) => one.endsWith(ending))) total += await gz(path);
  return total;
};

const measured = [
  ['first load JavaScript', 'first load JavaScript', await sum('.js')],
  ['first load CSS', 'first load CSS', await sum('.css')],
];
for (const path of lazy)
  measured.push([/emoji-data/.test(path) ? 'emoji names' : 'a lazy part', path, await gz(path)]);

let failed = false;
for (const [limit, name, size] of measured) {
  const over = size > LIMITS_KB[limit];
  failed ||= over;
  console.log(
    `${over ? 'TOO LARGE' : 'ok       '} ${size.toFixed(1).padStart(7)} kB gz of ${LIMITS_KB[limit]}  ${name}`,
  );
}
if (failed) process.exitCode = 1;
