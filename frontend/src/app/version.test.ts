import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../test/fake/clock';
import { buildOf, VersionWatch } from './version';

function watched(served: string | null, running: string | null = 'assets/index-one.js') {
  const clock = new FakeClock();
  const seen = { said: 0, reloads: 0, busy: false, done: null as string | null };
  const watch = () =>
    new VersionWatch({
      running,
      served: async () => served,
      busy: () => seen.busy,
      say: () => {
        seen.said += 1;
      },
      reload: () => {
        seen.reloads += 1;
      },
      done: {
        get: () => seen.done,
        set: (build) => {
          seen.done = build;
        },
      },
      clock,
    });
  return { clock, seen, watch };
}

describe('another version on the server', () => {
  it('is announced and loaded once', async () => {
    const { clock, seen, watch } = watched('assets/index-two.js');
    await watch().check();
    expect(seen).toMatchObject({ said: 1, reloads: 0 });
    await clock.advance(10_000);
    expect(seen.reloads).toBe(1);
    // The reloaded page is still the old one because of a cache.
    await watch().check();
    await clock.advance(60_000);
    expect(seen).toMatchObject({ said: 2, reloads: 1 });
  });

  it('waits until the user is not typing', async () => {
    const { clock, seen, watch } = watched('assets/index-two.js');
    seen.busy = true;
    await watch().check();
    await clock.advance(60_000);
    expect(seen.reloads).toBe(0);
    seen.busy = false;
    await clock.advance(10_000);
    expect(seen.reloads).toBe(1);
  });

  it.each([
    ['the same version', 'assets/index-one.js', 'assets/index-one.js'],
    ['a server that cannot tell', null, 'assets/index-one.js'],
    ['a page without a build', 'assets/index-two.js', null],
  ])('does nothing for %s', async (_, served, running) => {
    const { clock, seen, watch } = watched(served, running);
    await watch().check();
    await clock.advance(60_000);
    expect(seen).toMatchObject({ said: 0, reloads: 0 });
  });

  it('reloads once when the server does not understand the page', async () => {
    const { clock, seen, watch } = watched('assets/index-one.js');
    watch().misunderstood();
    await clock.advance(10_000);
    watch().misunderstood();
    await clock.advance(10_000);
    expect(seen.reloads).toBe(1);
  });
});

it('reads the build from a page', () => {
  expect(buildOf('<script type="module" crossorigin src="./assets/index-DFq4.js"></script>')).toBe(
    'assets/index-DFq4.js',
  );
  expect(buildOf('<h1>proxy</h1>')).toBeNull();
});
