import type { EngineEntry } from "../contract.js";
import { IndexedDbStore } from "./indexeddb.js";
import { MemoryStore } from "./memory.js";
import type { ProfileStore } from "./store.js";

/** Where a profile was asked to be kept. */
export type Storage = "indexeddb" | "memory";

/** A store, and what it held when it was opened. */
export interface Restored {
  readonly store: ProfileStore;
  readonly entries: readonly EngineEntry[];
}

/**
 * Opens the storage of the profile with this name; `false` is one that nothing is kept of. Never
 * rejects: without storage there is memory.
 */
export async function openStore(profile: string | false, storage: Storage): Promise<Restored> {
  const lasting = profile !== false && storage === "indexeddb" && typeof indexedDB === "object";
  if (!lasting) return { store: new MemoryStore(), entries: [] };
  const store = new IndexedDbStore(profile);
  try {
    return { store, entries: await store.load() };
  } catch (reason) {
    // Private windows, blocked storage, a full disk: the recommender still works.
    store.close();
    return { store: new MemoryStore(reason), entries: [] };
  }
}
