/** Gives components access to the session, the settings and the texts. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { Announcer } from '@/lib/announcer';
import { ENGLISH, type I18n, loadLanguage } from '@/lib/i18n';
import type { Session } from '@/session/session';
import type { ChatState } from '@/store/state';
import { explain } from './explain';
import type { Settings, SettingsStore } from './settings';

const I18nContext = createContext<I18n>(ENGLISH);
const SettingsContext = createContext<SettingsStore | null>(null);
const SessionContext = createContext<Session | null>(null);
const AnnouncerContext = createContext<Announcer | null>(null);

function must<T>(value: T | null, name: string): T {
  if (value === null) throw new Error(`${name} is missing above this component`);
  return value;
}

export function SettingsProvider({ settings, children }: { settings: SettingsStore; children: ReactNode }) {
  const language = useStore(settings, (one) => one.language);
  const [i18n, setI18n] = useState<I18n>(ENGLISH);
  useEffect(() => {
    let wanted = true;
    void loadLanguage(language).then((loaded) => {
      if (!wanted) return;
      document.documentElement.lang = language;
      setI18n(loaded);
    });
    return () => {
      wanted = false;
    };
  }, [language]);
  return (
    <SettingsContext value={settings}>
      <I18nContext value={i18n}>{children}</I18nContext>
    </SettingsContext>
  );
}

export const SessionProvider = SessionContext.Provider;
export const AnnouncerProvider = AnnouncerContext.Provider;

export function useI18n(): I18n {
  return useContext(I18nContext);
}

export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const store = must(useContext(SettingsContext), 'SettingsProvider');
  return [useStore(store), store.setState];
}

export function useSession(): Session {
  return must(useContext(SessionContext), 'SessionProvider');
}

export function useAnnouncer(): Announcer {
  return must(useContext(AnnouncerContext), 'AnnouncerProvider');
}

/** Returns a part of the state; the component renders again only when that part changes. */
export function useChat<T>(selector: (state: ChatState) => T): T {
  return useStore(useSession().store, selector);
}

/** Runs an action and shows a refusal as a notice. Returns true on success. */
export function useAttempt(): (run: () => Promise<unknown>) => Promise<boolean> {
  const { changes } = useSession();
  const i18n = useI18n();
  return useCallback(
    async (run) => {
      try {
        await run();
        return true;
      } catch (error) {
        changes.notice('request_failed', explain(i18n, error));
        return false;
      }
    },
    [changes, i18n],
  );
}
