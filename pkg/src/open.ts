import type { EngineEntry } from "./contract.js";
import { NearfieldError, throwIfAborted } from "./errors.js";
import { load } from "./load.js";
import { compile, kindOf } from "./module.js";
import { Nearfield } from "./nearfield.js";
import { anything, flag, nonEmpty, oneOf, readOptions, wrong } from "./options.js";
import type { Check } from "./options.js";
import type { Platform } from "./platform.js";
import { identity, Profile } from "./profile.js";
import { IndexedDbStore } from "./store/indexeddb.js";
import { MemoryStore } from "./store/memory.js";
import type { ProfileStore } from "./store/store.js";
import { replay } from "./supervisor.js";
import type { ArchiveSource, OpenOptions, Progress, WasmModules, WasmSource } from "./types.js";

/** The function that entry points export as `open`. */
export type Open = (archive: ArchiveSource, options?: OpenOptions) => Promise<Nearfield>;

const profileName: Check<string | false> = (value, at) => (value === false ? false : nonEmpty(value, at));

const signalOption: Check<AbortSignal> = (value, at) => {
  if (!(value instanceof AbortSignal)) throw wrong(at, "an AbortSignal", value);
  return value;
};

const callback: Check<(progress: Progress) => void> = (value, at) => {
  if (typeof value !== "function") throw wrong(at, "a function", value);
  return value as (progress: Progress) => void;
};

const OPTIONS = {
  wasm: anything as Check<WasmSource | WasmModules>,
  engine: oneOf("auto", "simd128", "relaxed"),
  profile: profileName,
  storage: oneOf("indexeddb", "memory"),
  signal: signalOption,
  onProgress: callback,
  verify: flag,
  progressive: flag,
};

/** Makes `open` for one kind of host. */
export function makeOpen(platform: Platform): Open {
  return async (archive, options) => {
    const read = readOptions("open", options, OPTIONS);
    const { wasm, engine = "auto", profile = "default", storage = "indexeddb" } = read;
    const { signal, onProgress, verify = true, progressive = false } = read;
    throwIfAborted(signal);
    const log = new Map<string, EngineEntry>();
    // The module, the archive and the profile are independent: all three are under way at once.
    const compiling = compile(wasm, engine, platform, signal);
    const loading = load({
      archive,
      platform,
      compiling,
      log: () => log.values(),
      signal,
      onProgress,
      verify,
    });
    const enough = progressive ? loading.opened : loading.loaded.then(() => loading.opened);
    const restoring = openStore(profile, storage);
    try {
      const [module, supervisor, restored] = await Promise.all([compiling, enough, restoring]);
      throwIfAborted(signal);
      for (const entry of restored.entries) log.set(identity(entry), entry);
      supervisor.call((started) => replay(started, log.values()));
      const kept = new Profile(supervisor, restored.store, log);
      return new Nearfield(supervisor, kept, kindOf(module), loading);
    } catch (error) {
      // Promise.all reports the first failure; the others end unheard.
      loading.stop(new NearfieldError("E_ABORTED", "opening failed before all of the archive had arrived"));
      restoring.then(({ store }) => store.close()).catch(() => {});
      throw error;
    }
  };
}

interface Restored {
  readonly store: ProfileStore;
  readonly entries: readonly EngineEntry[];
}

/** Opens the profile's storage. Never rejects: without storage there is memory. */
async function openStore(profile: string | false, storage: "indexeddb" | "memory"): Promise<Restored> {
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
