/** The open page, as in the address after `#`: `/c/{conversation}`, `/c/{conversation}/{seq}` or `/share`. */
import { useSyncExternalStore } from 'react';

/** The parts of the path, separated by `/`. */
export function useRoute(): string[] {
  return useSyncExternalStore(subscribe, readPath).split('/');
}

/** Opens a path; with `replace`, the browser's back button does not return to the current one. */
export function navigate(path: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', `#${path}`);
  dispatchEvent(new Event('hashchange'));
}

function readPath(): string {
  return location.hash.replace(/^#?\/?/, '');
}

function subscribe(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}
