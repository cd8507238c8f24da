/** Searches the messages on the device. Pure. */
import { findInText, searchTerms } from '@/lib/text';
import type { Message } from '@/protocol';

/** Returns the newest `limit` matching messages from messages in ascending order. */
export function bestFits(messages: readonly Message[], query: string, limit: number): Message[] {
  const terms = searchTerms(query);
  const found: Message[] = [];
  for (let index = messages.length - 1; index >= 0 && found.length < limit; index -= 1) {
    const message = messages[index] as Message;
    if (message.kind === 'text' && message.deleted_at === null && findInText(message.text, terms) !== null) {
      found.push(message);
    }
  }
  return found;
}

export function newestFirst(messages: readonly Message[], limit: number): Message[] {
  return [...messages].sort((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, limit);
}
