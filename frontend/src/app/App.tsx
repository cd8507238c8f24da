import { lazy, Suspense, useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import type { Announcer } from '@/lib/announcer';
import type { Accounts } from '@/session/accounts';
import { AnnouncerProvider, SessionProvider, SettingsProvider } from './context';
import { Broken, ErrorBoundary } from './ErrorBoundary';
import { Shell } from './Shell';
import type { SettingsStore } from './settings';

const SignIn = lazy(() => import('@/features/sign-in/SignIn'));

export interface AppProps {
  accounts: Accounts;
  settings: SettingsStore;
  announcer: Announcer;
}

export function App({ accounts, settings, announcer }: AppProps) {
  return (
    <SettingsProvider settings={settings}>
      <ErrorBoundary
        fallback={() => <Broken onFresh={async () => accounts.store.getState().session?.dropCopy()} />}
      >
        <AnnouncerProvider value={announcer}>
          <Pages accounts={accounts} />
          <LiveRegion announcer={announcer} />
        </AnnouncerProvider>
      </ErrorBoundary>
    </SettingsProvider>
  );
}

function Pages({ accounts }: { accounts: Accounts }) {
  const { session, expired } = useStore(accounts.store);
  if (session === null) {
    const initial = /register\/?$/.test(location.pathname + location.hash) ? 'register' : 'sign-in';
    return (
      <Suspense fallback={null}>
        <SignIn accounts={accounts} expired={expired} initial={initial} />
      </Suspense>
    );
  }
  return (
    <SessionProvider value={session}>
      <Shell key={session.accountId} onSignOut={() => accounts.signOut()} />
    </SessionProvider>
  );
}

function LiveRegion({ announcer }: { announcer: Announcer }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    announcer.attach(ref.current);
    return () => announcer.attach(null);
  }, [announcer]);
  return <div ref={ref} aria-live="polite" aria-atomic="true" className="sr-only" />;
}
