import type { EngineEntry } from "./contract.js";
import { NearfieldError, throwIfAborted } from "./errors.js";
import { load } from "./load.js";
import { compile, kindOf } from "./module.js";
import { Nearfield } from "./nearfield.js";
import { anything, days, flag, oneOf, readOptions, wrong } from "./options.js";
import type { Check } from "./options.js";
import type { Platform } from "./platform.js";
import { identity, Profile, profileName } from "./profile.js";
import { scenarios } from "./request.js";
import { openStore } from "./store/open.js";
import { replay } from "./supervisor.js";
import type { ArchiveSource, OpenOptions, Progress, WasmModules, WasmSource } from "./types.js";

/** The function that entry points export as `open`. */
export type Open = (archive: ArchiveSource, options?: OpenOptions) => Promise<Nearfield>;

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
  recording: flag,
  maxAge: days,
  signal: signalOption,
  onProgress: callback,
  verify: flag,
  progressive: flag,
  scenarios,
};

/** Makes `open` for one kind of host. */
export function makeOpen(platform: Platform): Open {
  return async (archive, options) => {
    const read = readOptions("open", options, OPTIONS);
    const { wasm, engine = "auto", profile = "default", storage = "indexeddb" } = read;
    const { recording = true, maxAge } = read;
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
      if (read.scenarios !== undefined) supervisor.setScenarios(read.scenarios);
      for (const entry of restored.entries) log.set(identity(entry), entry);
      supervisor.call((started) => replay(started, log.values()));
      const kept = new Profile(supervisor, log, { name: profile, storage, recording, maxAge }, restored.store);
      return new Nearfield(supervisor, kept, kindOf(module), loading);
    } catch (error) {
      // Promise.all reports the first failure; the others end unheard.
      loading.stop(new NearfieldError("E_ABORTED", "opening failed before all of the archive had arrived"));
      restoring.then(({ store }) => store.close()).catch(() => {});
      throw error;
    }
  };
}
