import { render, screen, waitFor } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { SessionProvider, SettingsProvider } from '@/app/context';
import { createSettings } from '@/app/settings';
import { Emitter } from '@/lib/emitter';
import { Timings } from '@/realtime/timings';
import type { Session } from '@/session/session';
import { createChatStore } from '@/store/store';
import ConnectionDetails from './ConnectionDetails';

const SIZES = [
  { budget: 'firstLoadScripts', kB: 151.2, most: 170 },
  { budget: 'lazyPart', kB: 49.6, most: 60 },
];

function show(language: 'en' | 'de', request: () => Promise<unknown>) {
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(SIZES)));
  const timings = new Timings();
  for (const ms of [12, 14, 40]) timings.add('sendToAck', ms);
  const session = {
    link: {
      state: { name: 'connected', catchingUp: false },
      frames: new Emitter(),
      tabs: { leads: false },
      request,
    },
    store: createChatStore({ link: 'online' }),
    timings,
  } as unknown as Session;
  const settings = createSettings();
  settings.setState({ language });
  render(
    <SettingsProvider settings={settings}>
      <SessionProvider value={session}>
        <ConnectionDetails onClose={() => undefined} />
      </SessionProvider>
    </SettingsProvider>,
  );
}

function line(name: string): string | null | undefined {
  return screen.getByText(name).nextElementSibling?.textContent;
}

it('shows the state of the connection and its cost', async () => {
  show('en', async () => ({ type: 'pong' }));
  expect(await screen.findByText('151.2 of 170 kB')).toBeInTheDocument();
  expect(line('State')).toBe('Connected (connected)');
  expect(line('Owned by')).toBe('another tab');
  expect(line('Send to confirmation')).toBe('14 ms, 95 % within 40 ms (of 3)');
  expect(line('Receive to screen')).toBe('–');
  await waitFor(() => expect(line('Server round trip')).toMatch(/ms/));
});

it("shows no value when the server does not answer, in the user's language", async () => {
  show('de', () => Promise.reject(new Error('There is no connection.')));
  expect(await screen.findByText('151,2 von 170 kB')).toBeInTheDocument();
  expect(line('Zum Server und zurück')).toBe('–');
  expect(line('Vom Senden zur Bestätigung')).toBe('14 ms, 95 % in 40 ms (von 3)');
});
