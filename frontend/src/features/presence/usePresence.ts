import { useChat, useI18n } from '@/app/context';
import { nameText } from '@/lib/text';
import { ago } from '@/lib/time';
import type { PresenceState } from '@/protocol';

/** A user's presence, as the avatar's dot and as text. */
export function usePresence(userId: string | undefined): { state: PresenceState['state']; text: string } {
  const i18n = useI18n();
  const presence = useChat((state) => (userId === undefined ? undefined : state.presence[userId]));
  const offline = useChat((state) => state.link !== 'online' && state.link !== 'catching_up');
  // Without a connection the presence is unknown, and an old "online" would be wrong.
  if (presence === undefined || offline) return { state: 'offline', text: '' };
  if (presence.state === 'offline') {
    const text =
      presence.last_seen === null ? '' : i18n.t('presence.lastSeen', ago(i18n, presence.last_seen));
    return { state: 'offline', text };
  }
  const text = nameText(presence.status_text) || i18n.t(`presence.${presence.state}`);
  return { state: presence.state, text };
}
