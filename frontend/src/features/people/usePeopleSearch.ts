import { useEffect, useState } from 'react';
import { useChat, useSession } from '@/app/context';
import { matches } from '@/lib/text';
import type { User } from '@/protocol';

/** Typing pauses shorter than this send no request. */
const PAUSE_MS = 150;

export interface PeopleSearch {
  people: User[];
  searching: boolean;
}

/** Users whose name starts with the query: known ones immediately, the server's results a moment later. */
export function usePeopleSearch(query: string): PeopleSearch {
  const { api, changes } = useSession();
  const known = useChat((state) => state.people);
  const contacts = useChat((state) => state.contacts);
  const me = useChat((state) => state.me?.id);
  const [found, setFound] = useState<{ query: string; people: User[] }>({ query: '', people: [] });
  const wanted = query.trim();

  useEffect(() => {
    if (wanted === '') return;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const page = await api.findUsers(wanted, abort.signal);
        changes.people(page.items);
        setFound({ query: wanted, people: page.items });
      } catch {
        if (!abort.signal.aborted) setFound({ query: wanted, people: [] });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [api, changes, wanted]);

  const local =
    wanted === ''
      ? Object.values(contacts).map((one) => one.user)
      : Object.values(known).filter((one) => matches(`${one.display_name} ${one.username}`, wanted));
  const remote = found.query === wanted ? found.people : [];
  const byId = new Map([...local, ...remote].map((one) => [one.id, one]));
  if (me !== undefined) byId.delete(me);
  return { people: [...byId.values()].slice(0, 30), searching: wanted !== '' && found.query !== wanted };
}
