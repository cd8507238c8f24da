export interface KeptText {
  get(): string | null;
  set(text: string | null): void;
}

/**
 * One text under `key` in the browser's storage. Neither call throws: when the browser is set to store nothing, the
 * text lasts as long as the page.
 */
export function keptText(storage: () => Storage, key: string): KeptText {
  let ofThisPage: string | null = null;
  return {
    get() {
      try {
        return storage().getItem(key);
      } catch {
        return ofThisPage;
      }
    },
    set(text) {
      ofThisPage = text;
      try {
        if (text === null) storage().removeItem(key);
        else storage().setItem(key, text);
      } catch {
        // `get` still finds it.
      }
    },
  };
}
