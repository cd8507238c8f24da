import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ApiError, NetworkError } from '@/api/http';
import { explain } from '@/app/explain';
import { ENGLISH, type I18n, loadLanguage } from '@/lib/i18n';
import { waitText } from '@/lib/time';
import { en } from './en';
import { passwordAdvice } from './password-advice-de';

/** The codes of the table "Errors" in the protocol. */
function codes(): string[] {
  const protocol = readFileSync('../docs/protocol.md', 'utf8');
  const [, errors = ''] = /### Errors\n([\s\S]*?)\n### /.exec(protocol) ?? [];
  return [...errors.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1] ?? '');
}

async function german(): Promise<I18n> {
  return loadLanguage('de');
}

describe('a refusal', () => {
  it('has a text in every language for every code', async () => {
    expect(codes().length).toBeGreaterThan(15);
    const de = await german();
    for (const code of codes()) {
      expect(ENGLISH.maybe(`error.${code}`), code).not.toBeNull();
      expect(de.maybe(`error.${code}`), code).not.toBe(ENGLISH.maybe(`error.${code}`));
    }
  });

  it('includes how long to wait', async () => {
    const limited = new ApiError(429, { code: 'rate_limited', detail: 'no' }, 40_000);
    expect(explain(ENGLISH, limited)).toBe('Too many requests. Try again in 40 seconds.');
    expect(explain(await german(), limited)).toBe('Das war zu oft. Versuch es in 40 Sekunden noch einmal.');
    expect(waitText(ENGLISH, 900)).toBe('1 second');
    expect(waitText(ENGLISH, 601_000)).toBe('11 minutes');
    expect(waitText(ENGLISH, 7_300_000)).toBe('3 hours');
  });

  it("keeps the server's more detailed text when it is in the user's language", async () => {
    const full = new ApiError(409, { code: 'full', detail: 'This room is full (50 of 50 members).' });
    expect(explain(ENGLISH, full)).toBe('This room is full (50 of 50 members).');
    expect(explain(await german(), full)).toBe('Hier ist kein Platz für noch ein Mitglied.');
    expect(explain(ENGLISH, new NetworkError('x'))).toBe(en['error.network']);
    expect(explain(ENGLISH, new TypeError('x'))).toBe(en['error.internal']);
  });

  it('of a weak password gives the reason in German', async () => {
    const detail =
      'is too easy to guess. This is a top-10 common password. Add another word or two. Uncommon words are better';
    expect(passwordAdvice(detail)).toBe(
      'Es ist eines der zehn häufigsten Passwörter. Füge ein, zwei Wörter hinzu, am besten seltene.',
    );
    expect((await german()).t('auth.password.weak', 'is too easy to guess')).toBe(
      'Dieses Passwort ist zu leicht zu erraten.',
    );
    expect(ENGLISH.t('auth.password.weak', detail)).toBe(`Password ${detail}.`);
  });
});
