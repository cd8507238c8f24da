import { LogOut, Settings as SettingsIcon } from 'lucide-react';
import { useChat, useI18n, useSession } from '@/app/context';
import { ownNameOf } from '@/store/selectors';
import { Avatar } from '@/ui/Avatar';
import { IconButton } from '@/ui/Button';
import { Menu, MenuChoice, MenuDivider, MenuItem } from '@/ui/Menu';

/** The user's own name and avatar, with the account menu. */
export function AccountMenu({ onSettings, onSignOut }: { onSettings: () => void; onSignOut: () => void }) {
  const { t } = useI18n();
  const { presence } = useSession();
  const me = useChat((state) => state.me);
  const chosen = useChat((state) => state.chosenPresence);
  const online = useChat((state) => state.link === 'online' || state.link === 'catching_up');
  const name = me === null ? '…' : ownNameOf(me);
  return (
    <>
      <Menu
        align="start"
        label={name}
        trigger={
          <button
            type="button"
            className="flex min-h-10 min-w-0 items-center pointer-coarse:min-h-11 gap-2.5 rounded-lg p-1 pe-3 text-start hover:bg-hover"
          >
            <Avatar
              id={me?.id ?? ''}
              name={name}
              url={me?.avatar_url ?? null}
              size="small"
              presence={chosen === 'invisible' || !online ? 'offline' : chosen}
            />
            <span className="truncate font-semibold" dir="auto">
              {name}
            </span>
          </button>
        }
      >
        <MenuChoice
          label={t('presence.set')}
          value={chosen}
          onChange={(state) => presence.choose(state)}
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
      <IconButton label={t('auth.signOut')} className="rtl:-scale-x-100" onClick={onSignOut}>
        <LogOut size={19} aria-hidden />
      </IconButton>
    </>
  );
}
