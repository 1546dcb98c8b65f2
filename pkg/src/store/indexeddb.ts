import type { EngineEntry } from "../contract.js";
import { NearfieldError } from "../errors.js";
import { Database } from "./database.js";
import type { ProfileStore, StoreListener } from "./store.js";

/** What tabs tell each other. The generation lets a tab that missed an erasure notice it. */
type Message =
  | { type: "entries"; generation: number; entries: readonly EngineEntry[] }
  | { type: "erased"; generation: number };

/**
 * The log in IndexedDB, shared by every tab that opens the same profile name.
 *
 * Two mechanisms with different duties: the database's generation number makes erasure final, even for
 * a tab that was frozen and heard nothing; the channel makes other tabs' answers follow at once.
 */
export class IndexedDbStore implements ProfileStore {
  readonly kind = "indexeddb";
  readonly #database: Database;
  readonly #channel: BroadcastChannel | undefined;
  #generation = 0;
  #loaded = false;
  #listener: StoreListener | undefined;
  /** Messages that came before anyone listened. */
  #early: Message[] = [];
  /** The erasure under way in this tab, which later writes wait for. */
  #erasing: Promise<unknown> | undefined;

  /** @param profile - The profile's name. */
  constructor(profile: string) {
    this.#database = new Database(profile);
    if (typeof BroadcastChannel === "function") {
      // Opened before the log is read, so that nothing written in between is missed.
      this.#channel = new BroadcastChannel(`nearfield:${profile}`);
      this.#channel.onmessage = (event: MessageEvent) => this.#receive(event.data as Message);
    }
  }

  async load(): Promise<readonly EngineEntry[]> {
    const { entries, generation } = await this.#database.read();
    this.#generation = generation;
    this.#loaded = true;
    return entries;
  }

  listen(listener: StoreListener): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) this.#receive(message);
  }

  async append(entries: readonly EngineEntry[]): Promise<void> {
    // What is recorded after `erase()` was called belongs to the time after it.
    if (this.#erasing !== undefined) await this.#erasing.catch(() => {});
    const expected = this.#generation;
    const found = await this.#database.append(entries, expected);
    if (found !== expected) {
      this.#adopt(found);
      throw new NearfieldError(
        "E_STORE",
        "the profile was erased in another tab before this could be kept",
        { reason: "erased" },
      );
    }
    this.#post({ type: "entries", generation: expected, entries });
  }

  async remove(entries: readonly EngineEntry[]): Promise<void> {
    if (this.#erasing !== undefined) await this.#erasing.catch(() => {});
    const expected = this.#generation;
    const found = await this.#database.remove(entries, expected);
    if (found !== expected) this.#adopt(found);
  }

  async erase(): Promise<void> {
    const erasing = this.#database.erase();
    this.#erasing = erasing;
    try {
      this.#generation = Math.max(this.#generation, await erasing);
      this.#post({ type: "erased", generation: this.#generation });
    } finally {
      if (this.#erasing === erasing) this.#erasing = undefined;
    }
  }

  close(): void {
    this.#listener = undefined;
    this.#channel?.close();
    this.#database.close();
  }

  #post(message: Message): void {
    try {
      this.#channel?.postMessage(message);
    } catch {
      // Closed meanwhile. The data is kept; other tabs see it when they next open the profile.
    }
  }

  #receive(message: Message): void {
    if (!this.#loaded || this.#listener === undefined) {
      this.#early.push(message);
      return;
    }
    if (message.generation > this.#generation) this.#adopt(message.generation);
    // An older generation's entries were erased, whatever order the messages came in.
    if (message.type === "entries" && message.generation === this.#generation) {
      this.#listener.entries(message.entries);
    }
  }

  /**
   * Takes over another generation: everything known so far has been erased elsewhere. It can be lower
   * than ours, when the person deleted the site's data and the database began anew.
   */
  #adopt(generation: number): void {
    this.#generation = generation;
    this.#listener?.erased();
  }
}
