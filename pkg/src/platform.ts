import type { ByteSource } from "./source.js";
import type { EngineKind } from "./types.js";

/**
 * What differs between hosts, and nothing else: how an address becomes bytes. One entry point per
 * host fills it in, so that no other file asks where it runs.
 */
export interface Platform {
  /**
   * Finds the bytes behind an address given as an archive or as a wasm module.
   *
   * @throws NearfieldError `E_FETCH`, `E_ABORTED`.
   */
  locate(address: string | URL, signal: AbortSignal | undefined): Promise<ByteSource>;
  /**
   * The address of one of the two wasm files shipped with the package. A function, so that an entry
   * point which a bundler has moved fails only where the default is really used.
   */
  defaultWasm(kind: EngineKind): URL;
}
