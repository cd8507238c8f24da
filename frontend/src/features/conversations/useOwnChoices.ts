import { Archive, Bell, BellOff, Check, type LucideIcon, Pin, PinOff } from 'lucide-react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import type { Conversation } from '@/protocol';
import { isMuted, unreadOf } from '@/store/selectors';

/** Far enough in the future to mean "until I unmute". */
const MUTED_FOREVER = '9999-12-31T00:00:00.000Z';

export interface OwnChoice {
  text: string;
  Icon: LucideIcon;
  run: () => void;
}

/** The user's own actions on a conversation: in its menu, and on phones, which have no hover, in its details. */
export function useOwnChoices(conversation: Conversation): OwnChoice[] {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const unread = useChat((state) => unreadOf(state, conversation));
  const { id, me, last_seq } = conversation;
  const muted = isMuted(conversation, Date.now());
  const own = (settings: Parameters<typeof actions.own>[1]) => () =>
    void attempt(() => actions.own(id, settings));
  return [
    ...(unread > 0
      ? [{ text: t('conversations.markRead'), Icon: Check, run: () => actions.read(id, last_seq) }]
      : []),
    {
      text: t(me.pinned ? 'conversations.unpin' : 'conversations.pin'),
      Icon: me.pinned ? PinOff : Pin,
      run: own({ pinned: !me.pinned }),
    },
    {
      text: t(muted ? 'conversations.unmute' : 'conversations.mute'),
      Icon: muted ? Bell : BellOff,
      run: own({ muted_until: muted ? null : MUTED_FOREVER }),
    },
    {
      text: t(me.archived ? 'conversations.unarchive' : 'conversations.archive'),
      Icon: Archive,
      run: own({ archived: !me.archived }),
    },
  ];
}
