import { useSyncExternalStore } from 'react';

export type Radix = typeof import('./radix');

let loaded: Radix | null = null;
let loading: Promise<void> | null = null;
const waiting = new Set<() => void>();

/** Starts to load menus and popovers; safe to call often. */
export function loadRadix(): Promise<void> {
  loading ??= import('./radix').then((parts) => {
    loaded = parts;
    for (const tell of waiting) tell();
  });
  return loading;
}

function subscribe(tell: () => void): () => void {
  waiting.add(tell);
  void loadRadix();
  return () => waiting.delete(tell);
}

/** Returns null until they are loaded; meanwhile a button is shown without its menu. */
export function useRadix(): Radix | null {
  return useSyncExternalStore(subscribe, () => loaded);
}
