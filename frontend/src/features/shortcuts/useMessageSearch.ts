import { useEffect, useState } from 'react';
import { useSession } from '@/app/context';
import type { Message } from '@/protocol';

/** Typing pauses shorter than this read nothing from the disk. */
const PAUSE_MS = 120;
const MOST = 8;
const NONE: Message[] = [];

/** Returns the newest matching messages on this device; the previous results stay until there are new ones. */
export function useMessageSearch(query: string): Message[] {
  const { history } = useSession();
  const [found, setFound] = useState<Message[]>(NONE);
  const wanted = query.trim();
  const enough = [...wanted].length >= 2;
  useEffect(() => {
    if (!enough) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      history.search(wanted, MOST, abort.signal).then(
        (messages) => {
          if (!abort.signal.aborted) setFound(messages);
        },
        () => setFound(NONE),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [history, wanted, enough]);
  return enough ? found : NONE;
}
