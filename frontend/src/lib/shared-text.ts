/** Makes one plain text of what another application shares. Pure. */

/** Where the service worker keeps it and the page finds it; no cache of a version, so that it outlives a new one. */
export const SHARED_CACHE = 'shared-with-chat-mvp';
export const SHARED_AT = './shared.json';

/** As much as a message may have (protocol), so that it fits into a draft. */
const MOST_CODE_POINTS = 10_000;

/** Title, text and address, each once, without what no message may hold. Empty when there is nothing to see. */
export function sharedText(form: FormData): string {
  const parts: string[] = [];
  for (const name of ['title', 'text', 'url']) {
    const value = form.get(name);
    const part = typeof value === 'string' ? plain(value) : '';
    if (part !== '' && !parts.some((one) => one.includes(part))) parts.push(part);
  }
  return [...parts.join('\n')].slice(0, MOST_CODE_POINTS).join('');
}

/** Without halves of characters and invisible control characters; line breaks and tabs stay. */
function plain(value: string): string {
  return value
    .slice(0, MOST_CODE_POINTS * 2)
    .replace(/\p{Surrogate}/gu, '')
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim();
}
