/** How long the parser blocks the page for each hostile text: `npm run bench`. More than 30 ms is too much. */
import { bench, describe } from 'vitest';
import { HOSTILE } from '../../../test/hostile';
import { parseMarkdown } from './parseMarkdown';

describe('parsing hostile texts', () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    bench(name, () => void parseMarkdown(text), {
      iterations: 5,
      time: 0,
      warmupIterations: 1,
      warmupTime: 0,
    });
  }
});
