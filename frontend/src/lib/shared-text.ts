/** Builds one plain text from what another application shares. Pure. */

/** The cache for shared text between service worker and page. It has no version, so that it survives an update. */
export const SHARED_CACHE = 'shared-with-chat-mvp';
export const SHARED_AT = './shared.json';

/** The limit of a message (protocol), so that the text fits into a draft. */
const MOST_CODE_POINTS = 10_000;

/** Returns title, text and URL, each once, without characters that messages may not contain. Empty if not visible. */
export function sharedText(form: FormData): string {
  const parts: string[] = [];
  for (const name of ['title', 'text', 'url']) {
    const value = form.get(name);
    const part = typeof value === 'string' ? plain(value) : '';
    if (part !== '' && !parts.some((one) => one.includes(part))) parts.push(part);
  }
  return [...parts.join('\n')].slice(0, MOST_CODE_POINTS).join('');
}

/** Removes half surrogate pairs and invisible control characters; line breaks and tabs stay. */
function plain(value: string): string {
  return value
    .slice(0, MOST_CODE_POINTS * 2)
    .replace(/\p{Surrogate}/gu, '')
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .trim();
}
