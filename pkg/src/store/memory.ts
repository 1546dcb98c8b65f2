import type { EngineEntry } from "../contract.js";
import { NearfieldError } from "../errors.js";
import type { ProfileStore } from "./store.js";

/**
 * No storage at all: the log lives as long as the open archive. `append` rejects because `durable`
 * promises survival, and here nothing survives; the interaction itself counts all the same.
 */
export class MemoryStore implements ProfileStore {
  readonly kind = "memory";
  readonly #reason: unknown;

  /** @param reason - The error for which lasting storage was given up, if there was one. */
  constructor(reason?: unknown) {
    this.#reason = reason;
  }

  async load(): Promise<readonly EngineEntry[]> {
    return [];
  }

  listen(): void {}

  async append(): Promise<void> {
    throw new NearfieldError(
      "E_STORE",
      "the profile is kept in memory only and ends with this page",
      { storage: "memory" },
      { cause: this.#reason },
    );
  }

  async remove(): Promise<void> {}

  async erase(): Promise<void> {}

  close(): void {}
}
