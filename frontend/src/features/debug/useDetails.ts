import { useEffect, useState } from 'react';
import { useSession } from '@/app/context';
import type { TimingSummary } from '@/realtime/timings';

const ASK_EVERY_MS = 2_000;

export interface Details {
  /** The state machine's name for the connection state. */
  state: string;
  /** This tab owns the connection; otherwise another tab may. */
  leads: boolean;
  roundTrip: TimingSummary;
  sendToAck: TimingSummary;
  receiveToPaint: TimingSummary;
  conversations: number;
  /** Messages in the memory of this page. */
  messages: number;
  people: number;
  /** Messages that wait to be sent. */
  waiting: number;
  /** Storage used by this address, in bytes; null when the browser does not report it. */
  stored: number | null;
}

/** One part of the built client and its limit, in kB of gzip. */
export interface Size {
  budget: 'firstLoadScripts' | 'firstLoadStyles' | 'lazyPart' | 'emojiNames';
  kB: number;
  most: number;
}

/** Returns what the panel shows; pings the server and refreshes every two seconds. */
export function useDetails(): Details {
  const session = useSession();
  const { link, store, timings } = session;
  const [stored, setStored] = useState<number | null>(null);
  const [, lookAgain] = useState(0);
  useEffect(() => {
    let wanted = true;
    const look = async () => {
      const began = performance.now();
      const answered = await link.request({ type: 'ping' }).then(
        () => true,
        () => false,
      );
      if (answered) timings.add('roundTrip', performance.now() - began);
      const { usage = null } = (await navigator.storage?.estimate?.()) ?? {};
      if (!wanted) return;
      setStored(usage);
      lookAgain((times) => times + 1);
    };
    void look();
    const timer = setInterval(() => void look(), ASK_EVERY_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [link, timings]);
  const state = store.getState();
  return {
    state: link.state.name,
    leads: link.tabs?.leads ?? true,
    roundTrip: timings.summary('roundTrip'),
    sendToAck: timings.summary('sendToAck'),
    receiveToPaint: timings.summary('receiveToPaint'),
    conversations: Object.keys(state.conversations).length,
    messages: Object.values(state.windows).reduce((sum, window) => sum + window.items.length, 0),
    people: Object.keys(state.people).length,
    waiting: Object.values(state.pending).reduce((sum, list) => sum + list.length, 0),
    stored,
  };
}

/** Sizes that the build recorded; empty without a build, as in development. */
export function useSizes(): Size[] {
  const [sizes, setSizes] = useState<Size[]>([]);
  useEffect(() => {
    let wanted = true;
    fetch('./sizes.json')
      .then((response) => (response.ok ? response.json() : []))
      .then((found: Size[]) => {
        if (wanted) setSizes(found);
      })
      .catch(() => undefined);
    return () => {
      wanted = false;
    };
  }, []);
  return sizes;
}
