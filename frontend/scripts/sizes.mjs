/** The compressed size of the built client, and its budgets. */
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** kB (1,000 bytes) of gzip. */
export const BUDGET_KB = {
  firstLoadScripts: 170,
  firstLoadStyles: 12,
  lazyPart: 60,
  emojiNames: 110,
};

/**
 * Returns what a browser loads before the first paint, as one sum each, and every later chunk by itself:
 * `[{ budget, name, kB }]`, where `budget` is a key of `BUDGET_KB`.
 *
 * @param {URL} dist the directory of the build
 */
export async function measureSizes(dist) {
  const kB = async (path) => gzipSync(await readFile(new URL(path, dist)), { level: 9 }).length / 1000;
  const html = await readFile(new URL('index.html', dist), 'utf8');
  const first = [...html.matchAll(/(?:src|href)="\.\/([^"]+\.(?:js|css))"/g)].map((match) => match[1]);
  const assets = (await readdir(new URL('assets/', dist))).filter((name) => /\.(js|css)$/.test(name));
  const lazy = assets.map((name) => `assets/${name}`).filter((path) => !first.includes(path));
  const sum = async (ending) => {
    let total = 0;
    for (const path of first.filter((one) => one.endsWith(ending))) total += await kB(path);
    return total;
  };
  const measured = [
    { budget: 'firstLoadScripts', name: 'first load JavaScript', kB: await sum('.js') },
    { budget: 'firstLoadStyles', name: 'first load CSS', kB: await sum('.css') },
  ];
  for (const name of lazy) {
    measured.push({ budget: /emoji-data/.test(name) ? 'emojiNames' : 'lazyPart', name, kB: await kB(name) });
  }
  return measured;
}

/** For the client's own panel: the largest part of each budget. */
export function largestOf(measured) {
  return Object.entries(BUDGET_KB).map(([budget, most]) => ({
    budget,
    kB:
      Math.round(10 * Math.max(0, ...measured.filter((one) => one.budget === budget).map((one) => one.kB))) /
      10,
    most,
  }));
}
