import { Keyboard, LogOut, Settings as SettingsIcon, SquarePen, SunMoon } from 'lucide-react';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import { useLocation, useRoute } from 'wouter';
import { ChatPane, ConversationList, NewConversation } from '@/features/conversations';
import { useIncoming } from '@/features/notifications';
import { Connection } from '@/features/presence';
import { type Command, useShortcuts } from '@/features/shortcuts';
import { cx } from '@/lib/cx';
import { listConversations, titleOf } from '@/store/selectors';
import { useChat, useI18n, useSession, useSettings } from './context';
import { Notices } from './Notices';

const SettingsDialog = lazy(() => import('@/features/settings/SettingsDialog'));
const Palette = lazy(() => import('@/features/shortcuts/Palette'));
const ShortcutsHelp = lazy(() => import('@/features/shortcuts/ShortcutsHelp'));

export interface ShellProps {
  onSignOut: () => Promise<void>;
}

type Layer = 'new' | 'settings' | 'palette' | 'help' | null;

/** The window of somebody who is signed in: the list, and beside it (on a phone: instead of it) one conversation. */
export function Shell({ onSignOut }: ShellProps) {
  const { t } = useI18n();
  const session = useSession();
  const [settings, set] = useSettings();
  const [, params] = useRoute<{ id: string }>('/c/:id');
  const [, navigate] = useLocation();
  const [layer, setLayer] = useState<Layer>(null);
  const [details, setDetails] = useState(false);
  const wanted = params?.id ?? null;
  const exists = useChat((state) => wanted !== null && state.conversations[wanted] !== undefined);
  const shown = exists ? wanted : null;
  const title = useChat((state) => {
    const conversation = shown === null ? undefined : state.conversations[shown];
    return conversation === undefined ? t('conversations.label') : titleOf(state, conversation);
  });
  const open = useCallback((id: string) => navigate(`/c/${id}`), [navigate]);
  const close = useCallback(() => setLayer(null), []);
  useIncoming(shown);

  useShortcuts({
    palette: () => setLayer(layer === 'palette' ? null : 'palette'),
    help: () => setLayer('help'),
    create: () => setLayer('new'),
    step: (by, unread) => {
      const all = listConversations(session.store.getState());
      const here = all.findIndex((one) => one.id === shown);
      const ordered = [...all.slice(here + 1), ...all.slice(0, Math.max(0, here))];
      const next = (by === 1 ? ordered : ordered.reverse()).find((one) => !unread || one.me.unread > 0);
      if (next !== undefined) open(next.id);
    },
    focusComposer: () => document.querySelector<HTMLTextAreaElement>('main textarea')?.focus(),
  });

  const commands = useMemo<Command[]>(() => {
    const theme = settings.theme === 'dark' ? 'light' : 'dark';
    return [
      {
        id: 'new',
        name: t('conversations.new'),
        keys: 'Alt N',
        icon: <SquarePen size={18} />,
        run: () => setLayer('new'),
      },
      {
        id: 'settings',
        name: t('settings.title'),
        icon: <SettingsIcon size={18} />,
        run: () => setLayer('settings'),
      },
      {
        id: 'theme',
        name: `${t('settings.theme')}: ${t(`settings.theme.${theme}`)}`,
        icon: <SunMoon size={18} />,
        run: () => set({ theme }),
      },
      {
        id: 'help',
        name: t('shortcuts.title'),
        keys: 'Ctrl /',
        icon: <Keyboard size={18} />,
        run: () => setLayer('help'),
      },
      { id: 'out', name: t('auth.signOut'), icon: <LogOut size={18} />, run: () => void onSignOut() },
    ];
  }, [t, set, settings.theme, onSignOut]);

  return (
    <div className="safe-x flex h-dvh flex-col bg-sidebar">
      <Connection />
      <Notices />
      <main className="flex min-h-0 flex-1">
        <h1 className="sr-only">{title}</h1>
        <div
          className={cx(
            'flex w-full shrink-0 flex-col border-e border-line sm:w-80 lg:w-[22rem]',
            shown !== null && 'max-sm:hidden',
          )}
        >
          <ConversationList
            selected={shown}
            onSelect={open}
            onNew={() => setLayer('new')}
            onSettings={() => setLayer('settings')}
            onSignOut={onSignOut}
          />
        </div>
        <div className={cx('relative flex min-w-0 flex-1 bg-canvas', shown === null && 'max-sm:hidden')}>
          {shown === null ? (
            <div className="m-auto max-w-xs p-6 text-center">
              <h2 className="text-lg font-semibold">{t('app.empty.title')}</h2>
              <p className="mt-1 text-muted">{t('app.empty.text')}</p>
            </div>
          ) : (
            <ChatPane
              key={shown}
              id={shown}
              onBack={() => navigate('/')}
              details={details}
              onDetails={setDetails}
              onOpen={open}
            />
          )}
        </div>
      </main>
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
        {layer === 'palette' && <Palette commands={commands} onClose={close} onOpen={open} />}
        {layer === 'help' && <ShortcutsHelp onClose={close} />}
      </Suspense>
    </div>
  );
}
