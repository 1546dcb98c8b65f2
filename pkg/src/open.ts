import type { EngineEntry } from "./contract.js";
import { throwIfAborted } from "./errors.js";
import { archiveSource, load } from "./load.js";
import { compile } from "./module.js";
import { Nearfield } from "./nearfield.js";
import { anything, flag, nonEmpty, oneOf, readOptions, wrong } from "./options.js";
import type { Check } from "./options.js";
import type { Platform } from "./platform.js";
import { identity, Profile } from "./profile.js";
import { IndexedDbStore } from "./store/indexeddb.js";
import { MemoryStore } from "./store/memory.js";
import type { ProfileStore } from "./store/store.js";
import { replay, Supervisor } from "./supervisor.js";
import type { ArchiveSource, OpenOptions, Progress, WasmSource } from "./types.js";

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
  wasm: anything as Check<WasmSource>,
  profile: profileName,
  storage: oneOf("indexeddb", "memory"),
  signal: signalOption,
  onProgress: callback,
  verify: flag,
};

/** Makes `open` for one kind of host. */
export function makeOpen(platform: Platform): Open {
  return async (archive, options) => {
    const { wasm, profile = "default", storage = "indexeddb", signal, onProgress, verify = true } =
      readOptions("open", options, OPTIONS);
    throwIfAborted(signal);
    // The module, the archive and the profile are independent: all three are under way at once.
    const compiling = compile(wasm, platform, signal);
    const loading = archiveSource(archive, platform, signal).then((source) =>
      load(compiling, source, { signal, onProgress, verify }),
    );
    const restoring = openStore(profile, storage);
    try {
      const [module, instance, restored] = await Promise.all([compiling, loading, restoring]);
      throwIfAborted(signal);
      const log = new Map(restored.entries.map((entry) => [identity(entry), entry]));
      replay(instance.engine, log.values());
      const supervisor = new Supervisor(module, instance, () => log.values());
      return new Nearfield(supervisor, new Profile(supervisor, restored.store, log));
    } catch (error) {
      // Promise.all reports the first failure; the others end on their own and unheard.
      loading.catch(() => {});
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
