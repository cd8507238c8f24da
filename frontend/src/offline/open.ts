import type { ChatDb } from './db';
import { DexieDb } from './dexie-db';
import { MemoryDb } from './memory-db';
import { SturdyDb } from './sturdy-db';

/** A broken profile may never answer; a slow device needs seconds to start. */
const OPEN_TIMEOUT_MS = 10_000;

/** Opens the account's database, or a database in memory if that fails. Never rejects. */
export async function openDb(accountId: string): Promise<ChatDb> {
  if (typeof indexedDB === 'undefined') return new MemoryDb();
  try {
    const timeout = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('IndexedDB does not answer.')), OPEN_TIMEOUT_MS);
    });
    return new SturdyDb(await Promise.race([DexieDb.open(accountId), timeout]));
  } catch {
    return new MemoryDb();
  }
}
