import { createRoot } from 'react-dom/client';
import './styles/base.css';
import { App } from './app/App';
import { browserPlatform } from './app/platform';
import { createSettings } from './app/settings';
import { watchThisPage } from './app/version';
import { registerWorker, reloadOnceWhenPartsAreGone } from './app/worker';
import { Announcer } from './lib/announcer';
import { systemClock } from './lib/clock';
import { watchSurroundings } from './realtime/wake';
import { Accounts } from './session/accounts';

const settings = createSettings();
const accounts = new Accounts(browserPlatform());
// Opening the database takes most of the time between a reload and visible messages, so it starts first.
const openId = /^#\/c\/([0-9a-f]{24})/.exec(location.hash)?.[1] ?? null;
const restored = accounts.restore(openId).catch(() => false);

watchSurroundings({
  networkChanged: (online) => accounts.store.getState().session?.networkChanged(online),
  woke: () => accounts.store.getState().session?.woke(),
});
const version = watchThisPage({
  say: () => accounts.store.getState().session?.changes.notice('update_ready'),
  clock: systemClock,
});
accounts.store.subscribe(({ session }, before) => {
  if (session === before.session) return;
  session?.link.states.on((state) => {
    if (state.name === 'connected' && !state.catchingUp) void version.check();
    if (state.name === 'closed' && state.reason === 'protocol') version.misunderstood();
  });
});
registerWorker(
  () => void version.check(),
  (conversationId) => {
    location.hash = `#/c/${conversationId}`;
  },
);
window.addEventListener('pagehide', () => void accounts.store.getState().session?.drafts.flush());

reloadOnceWhenPartsAreGone();

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root.');
void restored.then(async (signedIn) => {
  // Waiting here for a page that is just loading is better than an empty first paint.
  if (!signedIn) await import('./features/sign-in/SignIn').catch(() => undefined);
  createRoot(root).render(
    <App accounts={accounts} settings={settings} announcer={new Announcer(systemClock)} />,
  );
});
