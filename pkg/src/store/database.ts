import type { EngineEntry } from "../contract.js";
import { NearfieldError } from "../errors.js";

/** The log: one record per entry under the key [device, sequence]. */
const ENTRIES = "entries";
/** One record, under the key `GENERATION`: how often this profile has been erased. */
const META = "meta";
const GENERATION = "generation";

/** What the names of profiles' databases begin with. */
const PREFIX = "nearfield:";

/** What one reading of the database finds, all of the same moment. */
export interface Snapshot {
  readonly entries: readonly EngineEntry[];
  readonly generation: number;
}

/**
 * The IndexedDB database of one profile. Each method is one transaction, so each is all or nothing,
 * and each write checks the generation inside its own transaction: that check, not any message
 * between tabs, is what keeps an erased profile from coming back.
 */
export class Database {
  readonly #name: string;
  #open: Promise<IDBDatabase> | undefined;

  /** @param profile - The profile's name; the database's name is derived from it. */
  constructor(profile: string) {
    this.#name = `${PREFIX}${profile}`;
  }

  /** Reads everything, opening the database if need be. */
  async read(): Promise<Snapshot> {
    return this.#run("readonly", (transaction) => {
      const entries = transaction.objectStore(ENTRIES).getAll();
      const generation = transaction.objectStore(META).get(GENERATION);
      return () => ({
        entries: entries.result as EngineEntry[],
        generation: asGeneration(generation.result),
      });
    });
  }

  /**
   * Adds entries if the stored generation is the expected one.
   *
   * @returns The stored generation; when it differs from `expected`, nothing was written.
   */
  async append(entries: readonly EngineEntry[], expected: number): Promise<number> {
    return this.#change(expected, (store) => {
      for (const entry of entries) store.put(entry, [entry.device, entry.sequence]);
    });
  }

  /**
   * Deletes entries if the stored generation is the expected one.
   *
   * @returns The stored generation; when it differs from `expected`, nothing was deleted.
   */
  async remove(entries: readonly EngineEntry[], expected: number): Promise<number> {
    return this.#change(expected, (store) => {
      for (const { device, sequence } of entries) store.delete([device, sequence]);
    });
  }

  /** How many entries there are. */
  async count(): Promise<number> {
    return this.#run("readonly", (transaction) => {
      const counted = transaction.objectStore(ENTRIES).count();
      return () => counted.result;
    });
  }

  /**
   * Deletes every entry and raises the generation.
   *
   * @returns The new generation.
   */
  async erase(): Promise<number> {
    return this.#run("readwrite", (transaction, guard) => {
      let next = 0;
      transaction.objectStore(ENTRIES).clear();
      const meta = transaction.objectStore(META);
      const found = meta.get(GENERATION);
      found.onsuccess = guard(() => {
        next = asGeneration(found.result) + 1;
        meta.put(next, GENERATION);
      });
      return () => next;
    });
  }

  /** Lets go of the database once transactions already begun have ended. */
  close(): void {
    this.#open?.then((database) => database.close()).catch(() => {});
    this.#open = undefined;
  }

  /** Changes entries if the stored generation is the expected one, and gives back the stored one. */
  async #change(expected: number, change: (entries: IDBObjectStore) => void): Promise<number> {
    return this.#run("readwrite", (transaction, guard) => {
      const found = transaction.objectStore(META).get(GENERATION);
      found.onsuccess = guard(() => {
        if (asGeneration(found.result) === expected) change(transaction.objectStore(ENTRIES));
      });
      return () => asGeneration(found.result);
    });
  }

  #connect(): Promise<IDBDatabase> {
    this.#open ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => {
        // Keys lie outside the records: a record stays exactly the engine's entry.
        request.result.createObjectStore(ENTRIES);
        request.result.createObjectStore(META);
      };
      request.onsuccess = () => {
        const database = request.result;
        // Deleting the site's data, or a newer release in another tab, must not wait for this tab.
        database.onversionchange = () => this.close();
        database.onclose = () => (this.#open = undefined);
        resolve(database);
      };
      request.onerror = () => reject(storeError(request.error));
    }).catch((error: unknown) => {
      this.#open = undefined;
      throw error;
    });
    return this.#open;
  }

  /** Runs one transaction, opening the database if need be. */
  async #run<T>(mode: IDBTransactionMode, begin: Begin<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      const database = await this.#connect().catch((error: unknown) => {
        throw storeError(error);
      });
      let transaction: IDBTransaction;
      try {
        // Strict: a promise called durable should mean the disk, not the system's write buffer.
        transaction = database.transaction([ENTRIES, META], mode, { durability: "strict" });
      } catch (error) {
        // The browser closed the connection under us (a cleared or evicted origin): open it anew, once.
        this.close();
        if (attempt > 0) throw storeError(error);
        continue;
      }
      return finish(transaction, begin);
    }
  }
}

/**
 * Issues a transaction's requests and returns how to read their results once it has completed. Handlers
 * go through `guard`: what one throws is then the reason of the failure, where the browser would only say
 * that the transaction was aborted.
 */
type Begin<T> = (transaction: IDBTransaction, guard: (handler: () => void) => () => void) => () => T;

function finish<T>(transaction: IDBTransaction, begin: Begin<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let result: (() => T) | undefined;
    const guard = (handler: () => void) => () => {
      try {
        handler();
      } catch (error) {
        reject(storeError(error));
        transaction.abort();
      }
    };
    transaction.oncomplete = () => resolve((result as () => T)());
    transaction.onabort = () => reject(storeError(transaction.error));
    guard(() => {
      result = begin(transaction, guard);
    })();
  });
}

/** A missing or foreign value counts as never erased. */
function asGeneration(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) ? value : 0;
}

function storeError(cause: unknown): NearfieldError {
  if (cause instanceof NearfieldError) return cause;
  const reason = (cause as { name?: unknown } | null)?.name;
  if (reason === "QuotaExceededError") {
    return new NearfieldError("E_QUOTA", "storage is full: the profile was not kept", { reason }, {
      cause,
    });
  }
  return new NearfieldError("E_STORE", "the profile's storage failed", { reason }, { cause });
}

/**
 * The names of the profiles of this origin that have entries in storage, in the order of their code
 * units; none where the host has no IndexedDB.
 *
 * @throws NearfieldError `E_STORE` (as a rejection) when storage refused.
 */
export async function profileNames(): Promise<string[]> {
  // Hosts older than the list of databases cannot say.
  if (typeof indexedDB !== "object" || typeof indexedDB.databases !== "function") return [];
  const found = await indexedDB.databases().catch((error: unknown) => {
    throw storeError(error);
  });
  const names = found.flatMap(({ name }) => (name?.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : []));
  const counts = await Promise.all(
    names.map(async (name) => {
      const database = new Database(name);
      try {
        return await database.count();
      } finally {
        database.close();
      }
    }),
  );
  // An erased profile leaves an empty database, which remembers that it was erased.
  return names.filter((_, index) => counts[index] !== 0).sort();
}
