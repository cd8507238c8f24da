import { useEffect, useState } from 'react';
import { useChat } from '@/app/context';
import { type Emoji, loadEmoji, searchEmoji } from '@/features/emoji';
import { matches } from '@/lib/text';
import type { User } from '@/protocol';
import { ownNameOf } from '@/store/selectors';
import type { Trigger } from './completion';

const MOST = 7;

export interface Suggestion {
  key: string;
  /** Shown before the name: an emoji, or nothing. */
  sign: string;
  name: string;
  hint: string;
  replacement: string;
  user?: User;
}

const NOBODY: User[] = [];

/** Returns suggestions for the typed text, best first; none when nothing can be completed. */
export function useCompletion(conversationId: string, trigger: Trigger | null): Suggestion[] {
  const [emoji, setEmoji] = useState<Emoji[]>([]);
  const kind = trigger?.kind ?? null;
  useEffect(() => {
    if (kind === 'emoji') void loadEmoji().then(setEmoji);
  }, [kind]);
  const members = useChat((state) => state.members[conversationId]);
  const peer = useChat((state) => state.conversations[conversationId]?.peer);
  const me = useChat((state) => state.me?.id);
  if (trigger === null) return [];
  if (trigger.kind === 'emoji') {
    return searchEmoji(emoji, trigger.query, MOST).map((one) => ({
      key: one.char,
      sign: one.char,
      name: `:${one.names[0] ?? one.label}:`,
      hint: one.label,
      replacement: one.char,
    }));
  }
  const people =
    members === undefined ? (peer ? [peer] : NOBODY) : Object.values(members).map((one) => one.user);
  return people
    .filter((one) => one.id !== me && matches(`${one.username} ${one.display_name}`, trigger.query))
    .slice(0, MOST)
    .map((one) => ({
      key: one.id,
      sign: '',
      name: ownNameOf(one),
      hint: `@${one.username}`,
      replacement: `@${one.username}`,
      user: one,
    }));
}
