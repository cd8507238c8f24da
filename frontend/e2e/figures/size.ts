/** Measures what a browser loads before the first paint, as the server sends it. */
import { get } from 'node:http';

/** Bytes of gzipped JavaScript in the first load: the scripts that the page itself names. */
export async function measureFirstLoad(baseUrl: string): Promise<number> {
  const page = (await fetchRaw(new URL('.', baseUrl), 'identity')).body.toString('utf8');
  const scripts = [...page.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map((match) => match[1] as string);
  if (scripts.length === 0) throw new Error('The page names no scripts.');
  let sum = 0;
  for (const script of scripts) sum += (await fetchRaw(new URL(script, baseUrl), 'gzip')).body.length;
  return sum;
}

/** Without decompression, which `fetch` cannot turn off. */
function fetchRaw(url: URL, encoding: string): Promise<{ body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': encoding } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        if (response.statusCode === 200) resolve({ body: Buffer.concat(parts) });
        else reject(new Error(`${url.href}: ${response.statusCode}`));
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}
