import type { EngineEntry } from "../contract.js";

/** What a store tells about changes made elsewhere. */
export interface StoreListener {
  /** Another tab has kept these entries. */
  entries(entries: readonly EngineEntry[]): void;
  /** The profile has been erased in another tab: what is in memory here must go too. */
  erased(): void;
}

/** Where a profile's log is kept. */
export interface ProfileStore {
  /** What it turned out to be, after any fallback. */
  readonly kind: "indexeddb" | "memory";
  /** Every entry kept so far, in no particular order. */
  load(): Promise<readonly EngineEntry[]>;
  /** Begins to pass on other tabs' changes, those since {@link ProfileStore.load} included. */
  listen(listener: StoreListener): void;
  /**
   * Keeps entries, all or none. An entry whose (device, sequence) is already kept changes nothing.
   *
   * @returns Resolves once the entries would survive the end of the process.
   * @throws NearfieldError `E_STORE`, `E_QUOTA` (as rejections, never synchronously).
   */
  append(entries: readonly EngineEntry[]): Promise<void>;
  /**
   * Deletes these entries, all or none: those that grew too old. Nothing is deleted from a profile
   * that was erased meanwhile, since its entries are new ones.
   *
   * @throws NearfieldError `E_STORE` (as a rejection) when entries may still be there.
   */
  remove(entries: readonly EngineEntry[]): Promise<void>;
  /**
   * Deletes every entry and makes sure that no write begun before, here or in another tab, lands
   * after.
   *
   * @throws NearfieldError `E_STORE` when entries may still be there.
   */
  erase(): Promise<void>;
  /** Ends listening and lets go of the database. Writes already begun still complete. */
  close(): void;
}
