import { describe, expect, it } from 'vitest';
import { loadEmoji } from './data';

describe('the emoji of the picker', () => {
  it('have the form that the server sends', async () => {
    const all = await loadEmoji();
    expect(all.length).toBeGreaterThan(1_900);
    const chars = all.map((one) => one.char);
    expect(chars.filter((char) => /\p{Emoji_Presentation}\uFE0F/u.test(char))).toEqual([]);
    expect(chars).toEqual(
      expect.arrayContaining(['\u{1F44D}', '\u2705', '\u274C', '\u2B50', '\u2764\uFE0F']),
    );
  });
});
