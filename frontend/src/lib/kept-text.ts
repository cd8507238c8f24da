export interface KeptText {
  get(): string | null;
  set(text: string | null): void;
}

/**
 * One text under `key` in the browser's storage. Neither call throws: where the browser keeps nothing, as it may be
 * told to, the text lasts as long as the page.
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
        // `get` finds it all the same.
      }
    },
  };
}
