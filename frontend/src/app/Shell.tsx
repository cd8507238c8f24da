import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ChatPane, ConversationList, NothingOpen } from '@/features/conversations';
import { usePaintTimings } from '@/features/debug';
import { useIncoming } from '@/features/notifications';
import { Connection } from '@/features/presence';
import { type Runs, useShortcuts } from '@/features/shortcuts';
import { cx } from '@/lib/cx';
import { listConversations, unreadOf, unsentTotal } from '@/store/selectors';
import { Confirm } from '@/ui/Dialog';
import { useChat, useI18n, useSession, useSettings } from './context';
import { BrokenPart, ErrorBoundary } from './ErrorBoundary';
import { Notices } from './Notices';
import { navigate, useRoute } from './route';
import { useShared } from './useShared';

const NewConversation = lazy(() => import('@/features/conversations/NewConversation'));
const SettingsDialog = lazy(() => import('@/features/settings/SettingsDialog'));
const Palette = lazy(() => import('@/features/shortcuts/Palette'));
const ConnectionDetails = lazy(() => import('@/features/debug/ConnectionDetails'));
const ShortcutsHelp = lazy(() => import('@/features/shortcuts/ShortcutsHelp'));

export interface ShellProps {
  onSignOut: () => Promise<void>;
}

/** The width from which the details are shown beside a conversation (`lg`). */
const DETAILS_BESIDE = '(min-width: 64rem)';

type Layer = 'new' | 'settings' | 'keys' | 'palette' | 'help' | 'debug' | 'signOut' | null;

/** The window of a signed-in user: the list, and beside it (on a phone: instead of it) one conversation. */
export function Shell({ onSignOut }: ShellProps) {
  const { t } = useI18n();
  const session = useSession();
  const [, set] = useSettings();
  const [page, id, at] = useRoute();
  const [layer, setLayer] = useState<Layer>(null);
  const [details, setDetails] = useState(false);
  const [sharing, dismissShared] = useShared();
  const wanted = (page === 'c' && id) || null;
  const seq = Number(at) || null;
  const exists = useChat((state) => wanted !== null && state.conversations[wanted] !== undefined);
  const shown = exists ? wanted : null;
  const before = useRef<string | null>(null);
  useEffect(() => {
    // What one is no longer in must not open by itself, and be read, when it comes back.
    const gone = wanted !== null && shown === null && before.current === wanted;
    if (gone && session.store.getState().link === 'online') navigate('/', true);
    before.current = shown;
  }, [session, wanted, shown]);
  const open = useCallback((id: string, at?: number) => {
    // On narrow screens the details would cover the opened conversation.
    if (!matchMedia(DETAILS_BESIDE).matches) setDetails(false);
    navigate(at === undefined ? `/c/${id}` : `/c/${id}/${at}`);
  }, []);
  const arrived = useCallback(() => navigate(`/c/${wanted}`, true), [wanted]);
  const close = useCallback(() => setLayer(null), []);
  // Read on demand: as a subscription it would render the whole window for every message sent.
  const signOut = useCallback(
    () => (unsentTotal(session.store.getState()) > 0 ? setLayer('signOut') : void onSignOut()),
    [session, onSignOut],
  );
  useIncoming(shown);
  usePaintTimings();

  const step = useCallback(
    (by: 1 | -1, unread: boolean) => {
      const state = session.store.getState();
      const all = listConversations(state);
      const here = all.findIndex((one) => one.id === shown);
      const ordered = [...all.slice(here + 1), ...all.slice(0, Math.max(0, here))];
      const next = (by === 1 ? ordered : ordered.reverse()).find(
        (one) => !unread || unreadOf(state, one) > 0,
      );
      if (next !== undefined) open(next.id);
    },
    [session, shown, open],
  );

  const runs = useMemo<Runs>(
    () => ({
      palette: () => setLayer((now) => (now === 'palette' ? null : 'palette')),
      help: () => setLayer('help'),
      new: () => setLayer('new'),
      settings: () => setLayer('settings'),
      details: () => setDetails((now) => !now),
      next: () => step(1, false),
      previous: () => step(-1, false),
      nextUnread: () => step(1, true),
      previousUnread: () => step(-1, true),
      theme: () => set({ theme: document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark' }),
      debug: () => setLayer('debug'),
      signOut,
    }),
    [set, step, signOut],
  );
  useShortcuts(runs, () => document.querySelector<HTMLTextAreaElement>('main textarea')?.focus());

  return (
    <div className="safe-x safe-top flex h-dvh flex-col bg-sidebar">
      <Connection />
      <Notices />
      <main className="flex min-h-0 flex-1">
        <h1 className="sr-only">{t('app.name')}</h1>
        <div
          className={cx(
            'flex w-full shrink-0 flex-col border-e border-line sm:w-72 md:w-80 lg:w-[22rem]',
            shown !== null && 'max-sm:hidden',
          )}
        >
          <ConversationList
            selected={shown}
            onSelect={open}
            onNew={() => setLayer('new')}
            onSettings={() => setLayer('settings')}
            onSignOut={signOut}
          />
        </div>
        <div className={cx('relative flex min-w-0 flex-1 bg-canvas', shown === null && 'max-sm:hidden')}>
          {shown === null ? (
            <NothingOpen onNew={() => setLayer('new')} />
          ) : (
            <ErrorBoundary key={shown} fallback={(reset) => <BrokenPart onClose={reset} />}>
              <ChatPane
                id={shown}
                seq={seq}
                onArrived={arrived}
                onBack={() => navigate('/')}
                details={details}
                onDetails={setDetails}
                onOpen={open}
              />
            </ErrorBoundary>
          )}
        </div>
      </main>
      <ErrorBoundary
        fallback={(reset) => (
          <BrokenPart
            onClose={() => {
              close();
              reset();
            }}
          />
        )}
      >
        <Suspense fallback={null}>
          {layer === 'new' && (
            <NewConversation
              onClose={close}
              onStarted={(id) => {
                close();
                open(id);
              }}
            />
          )}
          {layer === 'settings' && <SettingsDialog onClose={close} />}
          {layer === 'keys' && <SettingsDialog onClose={close} first="keyboard" />}
          {layer === 'palette' && <Palette runs={runs} onClose={close} onOpen={open} />}
          {sharing !== null && (
            <Palette
              runs={runs}
              sending={sharing}
              onClose={dismissShared}
              onOpen={(id) => {
                session.drafts.add(id, sharing);
                open(id);
              }}
            />
          )}
          {layer === 'debug' && <ConnectionDetails onClose={close} />}
          {layer === 'signOut' && (
            <Confirm
              title={t('auth.signOut')}
              text={t('settings.unsent', unsentTotal(session.store.getState()))}
              action={t('auth.signOut')}
              onConfirm={() => void onSignOut()}
              onClose={close}
            />
          )}
          {layer === 'help' && <ShortcutsHelp onClose={close} onChange={() => setLayer('keys')} />}
        </Suspense>
      </ErrorBoundary>
    </div>
  );
}
