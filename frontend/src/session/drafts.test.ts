/** Drafts in several tabs of one device, which share what the device keeps. */
import { expect, it } from 'vitest';
import type { Api } from '@/api/endpoints';
import { Emitter } from '@/lib/emitter';
import { MemoryDb } from '@/offline/memory-db';
import type { Note } from '@/realtime/shared';
import { Changes, createChatStore } from '@/store/store';
import { FakeClock } from '../../test/fake/clock';
import { Drafts } from './drafts';

/** Tabs of one device, and what they told the server of drafts. */
class Tabs {
  readonly clock = new FakeClock();
  readonly told: [string, string | undefined][] = [];
  online = false;
  readonly #db = new MemoryDb();
  readonly #open: Drafts[] = [];

  async tab(): Promise<Drafts> {
    const store = createChatStore();
    const ownSettings: Api['ownSettings'] = async (id, { draft }) => {
      if (!this.online) throw new TypeError('fetch failed');
      this.told.push([id, draft]);
    };
    const drafts: Drafts = new Drafts({
      db: this.#db,
      api: { ownSettings } as Api,
      changes: new Changes(store),
      store,
      clock: this.clock,
      tabs: () => ({
        leads: false,
        notes: new Emitter<Note>(),
        welcomed: new Emitter<void>(),
        share: (note) => {
          if (note.kind !== 'draft') return;
          for (const one of this.#open)
            if (one !== drafts) one.noted(note.conversationId, note.text, note.untold);
        },
      }),
    });
    store.setState({ drafts: await drafts.restore((await this.#db.snapshot()).drafts) });
    this.#open.push(drafts);
    return drafts;
  }
}

it('written in two tabs without a connection are both told, by a tab that was loaded again', async () => {
  const tabs = new Tabs();
  const [a, b] = [await tabs.tab(), await tabs.tab()];
  a.set('garden', 'from one tab');
  await tabs.clock.advance(5_000);
  b.set('ben', 'from the other');
  await tabs.clock.advance(5_000);
  const again = await tabs.tab();
  // What the server has is older, and is not taken over.
  for (const id of ['garden', 'ben']) again.follow(id, '', '2026-11-21T09:00:00.000Z');
  tabs.online = true;
  again.connected();
  await tabs.clock.advance(10);
  expect(Object.fromEntries(tabs.told)).toEqual({ garden: 'from one tab', ben: 'from the other' });
});

it('shows in the other tabs at once, and the last writing wins there too', async () => {
  const tabs = new Tabs();
  const [a, b] = [await tabs.tab(), await tabs.tab()];
  const arrived: string[] = [];
  b.arrived.on(({ text }) => arrived.push(text));
  a.set('garden', 'one');
  await tabs.clock.advance(300);
  b.set('garden', 'one two');
  await tabs.clock.advance(300);
  expect([arrived, a.of('garden')]).toEqual([['one'], 'one two']);
  tabs.online = true;
  await tabs.clock.advance(5_000);
  expect(tabs.told).toEqual([['garden', 'one two']]);
});
