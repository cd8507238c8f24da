/** Reads the client's database on the device. A page that closes loses what was not stored before. */
import { expect, type Page } from '@playwright/test';

export type Store = 'messages' | 'conversations' | 'drafts' | 'outbox' | 'meta';

/** Returns all rows of one of the client's stores as JSON; none while there is no database. */
export function kept(page: Page, store: Store): Promise<string[]> {
  return page.evaluate(async (name) => {
    const found = (await indexedDB.databases()).find((one) => one.name?.startsWith('chat-mvp:'))?.name;
    if (found === undefined) return [];
    const answer = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const db = await answer(indexedDB.open(found));
    try {
      const rows = await answer(db.transaction(name).objectStore(name).getAll());
      return rows.map((row) => JSON.stringify(row));
    } finally {
      db.close();
    }
  }, store);
}

/** Waits until a row of the store contains `text`. */
export async function expectKept(page: Page, store: Store, text: string): Promise<void> {
  await expect
    .poll(() => kept(page, store), `${text} on the device`)
    .toContainEqual(expect.stringContaining(text));
}

/** Waits until the device has at least `count` messages of a conversation. */
export async function expectKeptMessages(page: Page, conversationId: string, count: number): Promise<void> {
  await expect
    .poll(
      async () => (await kept(page, 'messages')).filter((row) => row.includes(conversationId)).length,
      `messages of ${conversationId} on the device`,
    )
    .toBeGreaterThanOrEqual(count);
}
