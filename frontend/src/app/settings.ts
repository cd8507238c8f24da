/** Settings of this device, stored where they can be read before the first paint. */
import { createStore } from 'zustand/vanilla';
import type { OwnKeys } from '@/features/shortcuts';
import { type Language, preferredLanguage } from '@/lib/i18n';
import { keptText } from '@/lib/kept-text';

export interface Settings {
  theme: 'light' | 'dark' | 'system';
  density: 'comfortable' | 'compact';
  language: Language;
  notifications: boolean;
  enterSends: boolean;
  singleKeys: boolean;
  /** Which new messages a screen reader announces. */
  announce: 'all' | 'mentions' | 'off';
  /** Keys that replace the registry's, by command. */
  keys: OwnKeys;
}

const KEY = 'chat-mvp.settings';

/** The stored settings as JSON; damaged settings are ignored. */
function load(kept: string | null): Settings {
  const defaults: Settings = {
    theme: 'system',
    density: 'comfortable',
    language: preferredLanguage(navigator.languages ?? [navigator.language]),
    notifications: false,
    enterSends: true,
    singleKeys: true,
    announce: 'all',
    keys: {},
  };
  try {
    return { ...defaults, ...JSON.parse(kept ?? '{}') };
  } catch {
    return defaults;
  }
}

export type SettingsStore = ReturnType<typeof createSettings>;

export function createSettings() {
  const kept = keptText(() => localStorage, KEY);
  const store = createStore<Settings>(() => load(kept.get()));
  store.subscribe((settings) => {
    kept.set(JSON.stringify(settings));
    applyTheme(settings.theme);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    applyTheme(store.getState().theme),
  );
  applyTheme(store.getState().theme);
  return store;
}

function applyTheme(theme: Settings['theme']): void {
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}
