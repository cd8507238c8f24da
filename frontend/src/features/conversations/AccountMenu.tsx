import { LogOut, Settings as SettingsIcon } from 'lucide-react';
import { useState } from 'react';
import { useChat, useI18n, useSession } from '@/app/context';
import { Avatar } from '@/ui/Avatar';
import { IconButton } from '@/ui/Button';
import { Confirm } from '@/ui/Dialog';
import { Menu, MenuChoice, MenuDivider, MenuItem } from '@/ui/Menu';

type Chosen = 'online' | 'away' | 'dnd' | 'invisible';

/** One's own name and picture, with what concerns oneself behind it. */
export function AccountMenu({
  onSettings,
  onSignOut,
}: {
  onSettings: () => void;
  onSignOut: () => Promise<void>;
}) {
  const { t } = useI18n();
  const { link } = useSession();
  const me = useChat((state) => state.me);
  const unsent = useChat((state) => Object.values(state.pending).reduce((sum, list) => sum + list.length, 0));
  const [presence, setPresence] = useState<Chosen>('online');
  const [asking, setAsking] = useState(false);
  const name = me?.display_name || me?.username || '…';
  const choose = (state: Chosen) => {
    setPresence(state);
    link.notify({ type: 'presence.set', state, status_text: me?.status_text ?? null });
  };
  return (
    <>
      <Menu
        align="start"
        label={name}
        trigger={
          <button
            type="button"
            className="flex min-w-0 items-center gap-2.5 rounded-lg p-1 pe-3 text-start hover:bg-hover"
          >
            <Avatar
              id={me?.id ?? ''}
              name={name}
              url={me?.avatar_url ?? null}
              size="small"
              presence={presence === 'invisible' ? 'offline' : presence}
            />
            <span className="truncate font-semibold" dir="auto">
              {name}
            </span>
          </button>
        }
      >
        <MenuChoice
          label={t('presence.set')}
          value={presence}
          onChange={choose}
          options={[
            { value: 'online', label: t('presence.online') },
            { value: 'away', label: t('presence.away') },
            { value: 'dnd', label: t('presence.dnd') },
            { value: 'invisible', label: t('presence.invisible') },
          ]}
        />
        <MenuDivider />
        <MenuItem icon={<SettingsIcon size={16} />} onSelect={onSettings}>
          {t('settings.title')}
        </MenuItem>
      </Menu>
      <span className="flex-1" />
      <IconButton
        label={t('auth.signOut')}
        className="rtl:-scale-x-100"
        onClick={() => (unsent > 0 ? setAsking(true) : void onSignOut())}
      >
        <LogOut size={19} aria-hidden />
      </IconButton>
      {asking && (
        <Confirm
          title={t('auth.signOut')}
          text={t('settings.unsent', unsent)}
          action={t('auth.signOut')}
          onConfirm={() => void onSignOut()}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
