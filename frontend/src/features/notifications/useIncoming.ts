import { useEffect, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { useAnnouncer, useChat, useI18n, useSession, useSettings } from '@/app/context';
import { countText, oneLine } from '@/lib/text';
import type { Message } from '@/protocol';
import { concerns, isMuted, nameOf, titleOf, unreadOf, unreadTotal } from '@/store/selectors';
import type { ChatState, PendingMessage } from '@/store/state';
import { drawBadge } from './badge';
import { DesktopNotifications, type Told } from './desktop';

/** Drawing the icon takes longer than a frame: done after the message itself, and once for many. */
const BADGE_MS = 150;

/** Notifies of new messages: aloud for the open conversation, on the desktop for a page in the background. */
export function useIncoming(openId: string | null): void {
  const session = useSession();
  const announcer = useAnnouncer();
  const { t } = useI18n();
  const [settings] = useSettings();
  const [desktop] = useState(() => new DesktopNotifications());
  const open = useRef(openId);
  open.current = openId;

  useEffect(
    () =>
      session.link.frames.on((frame) => {
        const state = session.store.getState();
        if (frame.type !== 'message.new' || frame.queued || state.link !== 'online') return;
        const { message } = frame;
        if (message.sender_id === state.me?.id || message.kind !== 'text') return;
        const name = nameOf(state, state.people[message.sender_id]);
        const aloud =
          settings.announce === 'all' || (settings.announce === 'mentions' && concerns(state, message));
        if (aloud && message.conversation_id === open.current) {
          announcer.say(t('message.said', name, oneLine(message.text)), (count) =>
            t('message.saidMore', count),
          );
        }
        const notice = told(state, message, name);
        if (settings.notifications && document.visibilityState === 'hidden' && notice !== null)
          desktop.show(notice);
      }),
    [session, announcer, desktop, settings.announce, settings.notifications, t],
  );

  // A user who does not see the icon must hear that a message was not sent, wherever it was written.
  const failed = useChat(useShallow(failedSends));
  const known = useRef(failed);
  useEffect(() => {
    const news = failed.filter((one) => !known.current.includes(one));
    known.current = failed;
    for (const { text } of news) {
      announcer.say(t('message.said', t('state.failed'), oneLine(text)), (count) =>
        t('message.notSentMore', count),
      );
    }
  }, [failed, announcer, t]);

  // Messages read here or on another device need no notification any more, nor do those of an earlier visit.
  const loaded = useChat((state) => state.link === 'online');
  const withUnread = useChat(useShallow(unreadIds));
  useEffect(() => {
    if (!loaded) return;
    // By the time this runs, a read message may be unread again, with a notification of its own.
    const again = (id: string) => unreadIds(session.store.getState()).includes(id);
    desktop.keepOnly((id) => withUnread.includes(id) || again(id));
  }, [desktop, loaded, session, withUnread]);

  const unread = useChat((state) => unreadTotal(state, Date.now()));
  const badged = useRef(0);
  useEffect(() => {
    if (unread === badged.current) return;
    const timer = setTimeout(() => {
      badged.current = unread;
      document.title = unread > 0 ? `(${countText(unread, 99)}) Chat` : 'Chat';
      drawBadge(unread);
    }, BADGE_MS);
    return () => clearTimeout(timer);
  }, [unread]);
}

function unreadIds(state: ChatState): string[] {
  return Object.values(state.conversations)
    .filter((one) => unreadOf(state, one) > 0)
    .map((one) => one.id);
}

function failedSends(state: ChatState): PendingMessage[] {
  return Object.values(state.pending).flatMap((list) => list.filter((one) => one.state === 'failed'));
}

function told(state: ChatState, message: Message, name: string): Told | null {
  const conversation = state.conversations[message.conversation_id];
  if (conversation === undefined || isMuted(conversation, Date.now())) return null;
  return {
    conversationId: conversation.id,
    title: conversation.kind === 'direct' ? name : `${name} · ${titleOf(state, conversation)}`,
    body: oneLine(message.text, 200),
  };
}
