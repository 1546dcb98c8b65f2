import type { EngineEntry } from "../contract.js";
import { NearfieldError } from "../errors.js";
import type { ProfileStore } from "./store.js";

/**
 * No storage at all: the log lives as long as the open archive. `append` rejects because `durable`
 * promises survival, and here nothing survives; the interaction itself counts all the same.
 */
export class MemoryStore implements ProfileStore {
  readonly kind = "memory";
  /** One for all: with its stack it costs more than all else that an append does. */
  readonly #refusal: NearfieldError;

  /** @param reason - The error for which lasting storage was given up, if there was one. */
  constructor(reason?: unknown) {
    this.#refusal = new NearfieldError(
      "E_STORE",
      "the profile is kept in memory only and ends with this page",
      { storage: "memory" },
      { cause: reason },
    );
  }

  async load(): Promise<readonly EngineEntry[]> {
    return [];
  }

  listen(): void {}

  async append(): Promise<void> {
    throw this.#refusal;
  }

  async remove(): Promise<void> {}

  async erase(): Promise<void> {}

  close(): void {}
}
