import { useState } from 'react';
import { useI18n, useSettings } from '@/app/context';
import { cx } from '@/lib/cx';
import { LANGUAGES, type Language } from '@/lib/i18n';
import { Dialog } from '@/ui/Dialog';
import { Segments, Switch } from '@/ui/Switch';
import { KeySettings } from './KeySettings';
import { People } from './People';
import { Profile } from './Profile';

const PAGES = ['profile', 'appearance', 'keyboard', 'people'] as const;
type PageName = (typeof PAGES)[number];

export default function SettingsDialog({
  onClose,
  first = 'profile',
}: {
  onClose: () => void;
  first?: PageName;
}) {
  const { t } = useI18n();
  const [page, setPage] = useState<PageName>(first);
  return (
    <Dialog title={t('settings.title')} onClose={onClose} size="large">
      {/* One height for all pages, so that nothing below the pointer moves. */}
      <div className="flex flex-col gap-4 h-[calc(92dvh-6rem)] sm:h-[min(34rem,calc(85dvh-6rem))] sm:flex-row sm:gap-6">
        <nav
          aria-label={t('settings.title')}
          className="-mx-1 flex shrink-0 gap-1 overflow-x-auto p-1 sm:w-40 sm:flex-col"
        >
          {PAGES.map((name) => (
            <button
              key={name}
              type="button"
              aria-current={page === name ? 'page' : undefined}
              onClick={() => setPage(name)}
              className={cx(
                'min-h-10 pointer-coarse:min-h-11 rounded-lg px-3 text-start font-medium whitespace-nowrap',
                page === name ? 'bg-selected' : 'text-muted hover:bg-hover hover:text-ink',
              )}
            >
              {t(`settings.${name}`)}
            </button>
          ))}
        </nav>
        <div className="-m-1 min-h-0 min-w-0 flex-1 overflow-y-auto p-1">
          {page === 'profile' && <Profile />}
          {page === 'appearance' && <Appearance />}
          {page === 'keyboard' && <Keys />}
          {page === 'people' && <People />}
        </div>
      </div>
    </Dialog>
  );
}

function Appearance() {
  const { t } = useI18n();
  const [settings, set] = useSettings();
  return (
    <div className="flex flex-col gap-6">
      <Segments
        label={t('settings.theme')}
        value={settings.theme}
        onChange={(theme) => set({ theme })}
        options={[
          { value: 'light', label: t('settings.theme.light') },
          { value: 'dark', label: t('settings.theme.dark') },
          { value: 'system', label: t('settings.theme.system') },
        ]}
      />
      <Segments
        label={t('settings.density')}
        value={settings.density}
        onChange={(density) => set({ density })}
        options={[
          { value: 'comfortable', label: t('settings.density.comfortable') },
          { value: 'compact', label: t('settings.density.compact') },
        ]}
      />
      <Segments
        label={t('settings.language')}
        value={settings.language}
        onChange={(language) => set({ language })}
        options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
      />
      <Notifications />
      <Switch
        label={t('settings.enterSends')}
        text={t('settings.enterSends.text')}
        checked={settings.enterSends}
        onChange={(enterSends) => set({ enterSends })}
      />
      <Segments
        label={t('settings.announce')}
        text={t('settings.announce.text')}
        value={settings.announce}
        onChange={(announce) => set({ announce })}
        options={[
          { value: 'all', label: t('settings.announce.all') },
          { value: 'mentions', label: t('settings.announce.mentions') },
          { value: 'off', label: t('settings.announce.off') },
        ]}
      />
    </div>
  );
}

function Keys() {
  const { t } = useI18n();
  const [settings, set] = useSettings();
  return (
    <div className="flex flex-col gap-6">
      <Switch
        label={t('settings.singleKeys')}
        text={t('settings.singleKeys.text')}
        checked={settings.singleKeys}
        onChange={(singleKeys) => set({ singleKeys })}
      />
      <KeySettings />
    </div>
  );
}

/** Asks for permission only when the user turns this on. */
function Notifications() {
  const { t } = useI18n();
  const [settings, set] = useSettings();
  const available = 'Notification' in window && window.isSecureContext;
  const [denied, setDenied] = useState(available && Notification.permission === 'denied');
  const turn = async (on: boolean) => {
    if (!on) {
      set({ notifications: false });
      return;
    }
    const answer = await Notification.requestPermission();
    setDenied(answer === 'denied');
    set({ notifications: answer === 'granted' });
  };
  const text = !available
    ? t('settings.notifications.insecure')
    : denied
      ? t('settings.notifications.denied')
      : t('settings.notifications.text');
  return (
    <Switch
      label={t('settings.notifications')}
      text={text}
      checked={settings.notifications && !denied}
      disabled={!available || denied}
      onChange={(on) => void turn(on)}
    />
  );
}
