import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Announcer } from '@/lib/announcer';
import { systemClock } from '@/lib/clock';
import { MemoryDb } from '@/offline/memory-db';
import { RealtimeClient } from '@/realtime/client';
import { Accounts } from '@/session/accounts';
import { fakeFetch } from '../../test/fake/device';
import { FakeServer } from '../../test/fake/server';
import { FakeNetwork } from '../../test/fake/transport';
import { App } from './App';
import { createSettings } from './settings';

let server: FakeServer;
let network: FakeNetwork;

beforeEach(() => {
  server = new FakeServer();
  network = new FakeNetwork(server);
  vi.stubGlobal('fetch', fakeFetch(network));
  // jsdom has no layout: without sizes a virtual list has no visible rows.
  vi.spyOn(HTMLElement.prototype, 'offsetHeight', 'get').mockReturnValue(600);
  vi.spyOn(Element.prototype, 'clientHeight', 'get').mockReturnValue(600);
  vi.spyOn(Element.prototype, 'clientWidth', 'get').mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, 'offsetWidth', 'get').mockReturnValue(800);
});

function show() {
  const dbs = new Map<string, MemoryDb>();
  let remembered: string | null = null;
  const accounts = new Accounts({
    apiBase: 'http://fake/api/v1',
    clock: systemClock,
    random: () => 0.1,
    openDb: async (id) => {
      const db = dbs.get(id) ?? new MemoryDb();
      dbs.set(id, db);
      return db;
    },
    link: ({ tokens, resume, deviceId }) =>
      new RealtimeClient({
        transport: network.transport,
        tokens,
        resume,
        clock: systemClock,
        random: () => 0.1,
        deviceId,
      }),
    remembered: {
      get: () => remembered,
      set: (id) => {
        remembered = id;
      },
    },
    cookieWorks: false,
    exclusively: (_, run) => run(),
    deviceName: 'test',
  });
  render(<App accounts={accounts} settings={createSettings()} announcer={new Announcer(systemClock)} />);
  return userEvent.setup();
}

async function signIn(user: ReturnType<typeof userEvent.setup>, name: string) {
  await user.type(await screen.findByRole('textbox', { name: 'Username' }), name);
  await user.type(screen.getByLabelText('Password'), 'correct horse battery');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
}

describe('the page', () => {
  it('shows how long to wait after too many attempts, and keeps what was typed', async () => {
    const user = show();
    const real = fetch;
    const body = JSON.stringify({ code: 'rate_limited', detail: 'no', retry_after_ms: 1_500 });
    vi.stubGlobal('fetch', async () => new Response(body, { status: 429 }));
    await signIn(user, 'anna');
    expect(await screen.findByText('Too many requests. Try again in 2 seconds.')).toBeInTheDocument();
    expect(screen.getByRole('textbox', { name: 'Username' })).toHaveValue('anna');
    expect(screen.getByLabelText('Password')).toHaveValue('correct horse battery');
    await waitFor(() => expect(screen.queryByText(/Too many requests/)).not.toBeInTheDocument(), {
      timeout: 5_000,
    });
    vi.stubGlobal('fetch', real);
  });

  it('shows all of a conversation except the message that cannot be rendered', async () => {
    const anna = server.addPerson('anna', 'Anna').id;
    const ben = server.addPerson('ben', 'Ben').id;
    const room = server.addRoom('group', [anna, ben], 'The garden');
    server.say(room, ben, 'before it');
    server.say(room, ben, 'with a broken date', { created_at: 'never' });
    server.say(room, ben, 'with broken reactions', { reactions: null as never });
    server.say(room, ben, 'after it');
    const other = server.addRoom('group', [anna, ben], 'Broken');
    server.say(other, ben, 'x', { created_at: 'never' });
    // React reports errors that an error boundary caught.
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const user = show();
    await signIn(user, 'anna');
    await screen.findByText("This conversation can't be shown.");
    await user.click(await screen.findByRole('link', { name: /The garden/ }));
    const feed = await screen.findByRole('feed', { name: 'Messages' });
    expect(await within(feed).findByText('before it')).toBeInTheDocument();
    expect(within(feed).getByText('after it')).toBeInTheDocument();
    expect(within(feed).getAllByText("This message can't be shown.")).not.toHaveLength(0);
    expect(within(feed).getByText('with a broken date')).toBeInTheDocument();
    expect(within(feed).getByText('with broken reactions')).toBeInTheDocument();
    await user.type(screen.getByRole('textbox', { name: 'Message' }), 'still works');
    await user.click(screen.getByRole('button', { name: 'Send' }));
    expect(await within(feed).findByText('still works')).toBeInTheDocument();
  });

  it('registers a user and has the accessible names that users and tests rely on', async () => {
    const user = show();
    await user.click(await screen.findByRole('button', { name: 'Create account' }));
    await user.type(screen.getByRole('textbox', { name: 'Username' }), 'cleo');
    await user.type(screen.getByRole('textbox', { name: 'Email' }), 'cleo@example.org');
    await user.type(screen.getByLabelText('Password'), 'correct horse battery');
    await user.click(await screen.findByRole('button', { name: 'Create account' }));
    expect(await screen.findByRole('list', { name: 'Conversations' })).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'New conversation' })).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Sign out' })).toBeInTheDocument();
    await waitFor(() =>
      expect(screen.getByRole('status', { name: 'Connection' })).toHaveTextContent('Connected'),
    );
  });

  it('reports a wrong username or password', async () => {
    server.addPerson('anna');
    const user = show();
    await user.type(screen.getByRole('textbox', { name: 'Username' }), 'anna');
    await user.type(screen.getByLabelText('Password'), 'wrong password');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByText('Wrong username or password.')).toBeInTheDocument();
  });

  it('starts a conversation, sends, and shows the delivery state of the message', async () => {
    const anna = server.addPerson('anna', 'Anna');
    const ben = server.addPerson('ben', 'Ben Okafor');
    const user = show();
    await signIn(user, 'anna');
    await user.click(await screen.findByRole('button', { name: 'New conversation' }));
    await user.type(await screen.findByRole('textbox', { name: 'Find people' }), 'ben');
    await user.click(await screen.findByRole('option', { name: /Ben Okafor/ }));
    await user.click(screen.getByRole('button', { name: 'Start' }));
    const box = await screen.findByRole('textbox', { name: 'Message' });
    await user.type(box, 'Hello Ben{Enter}');
    const feed = screen.getByRole('feed', { name: 'Messages' });
    expect(await within(feed).findByText('Hello Ben')).toBeInTheDocument();
    expect(await within(feed).findByText('Sent')).toBeInTheDocument();
    const [room] = [...server.rooms.keys()];
    server.mark(room as string, ben.id, 1, true);
    expect(await within(feed).findByText('Read')).toBeInTheDocument();
    server.say(room as string, ben.id, 'Hello Anna');
    expect(await within(feed).findByText('Hello Anna')).toBeInTheDocument();
    expect(anna.id).not.toBe(ben.id);
  });

  it('does not reopen a conversation that the user left and sees again', async () => {
    const anna = server.addPerson('anna', 'Anna');
    const ben = server.addPerson('ben', 'Ben');
    const room = server.addRoom('direct', [anna.id, ben.id]);
    server.say(room, ben.id, 'Before');
    const user = show();
    await signIn(user, 'anna');
    await user.click(await screen.findByRole('link', { name: /^Ben/ }));
    expect(await screen.findByRole('feed', { name: 'Messages' })).toBeInTheDocument();
    const members = server.room(room).members;
    const own = members.get(anna.id) as NonNullable<ReturnType<typeof members.get>>;
    members.delete(anna.id);
    server.toUser(anna.id, { type: 'conversation.left', conversation_id: room });
    await waitFor(() => expect(screen.queryByRole('link', { name: /^Ben/ })).not.toBeInTheDocument());
    members.set(anna.id, own);
    server.toUser(anna.id, {
      type: 'conversation.joined',
      conversation: server.conversation(room, anna.id),
    });
    server.say(room, ben.id, 'After');
    const entry = await screen.findByRole('link', { name: /^Ben.*After/ });
    expect(entry).toHaveTextContent('unread');
    expect(screen.queryByRole('feed', { name: 'Messages' })).not.toBeInTheDocument();
  });

  it('offers another try for what the server would not take', async () => {
    const anna = server.addPerson('anna', 'Anna');
    const ben = server.addPerson('ben', 'Ben');
    server.addRoom('direct', [anna.id, ben.id]);
    const user = show();
    await signIn(user, 'anna');
    await user.click(await screen.findByRole('link', { name: /Ben/ }));
    server.refuse = { code: 'cannot_message', times: 1 };
    await user.type(await screen.findByRole('textbox', { name: 'Message' }), 'please{Enter}');
    const feed = screen.getByRole('feed', { name: 'Messages' });
    expect(await within(feed).findByText('Not sent')).toBeInTheDocument();
    await user.click(within(feed).getByRole('button', { name: 'Try again' }));
    expect(await within(feed).findByText('Sent')).toBeInTheDocument();
  });
});
