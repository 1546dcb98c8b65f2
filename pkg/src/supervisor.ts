import type { Engine, EngineEntry } from "./contract.js";
import { asNearfieldError, NearfieldError } from "./errors.js";
import type { Instance } from "./instance.js";

/**
 * Stands between the public calls and the engine, so that a defect inside the engine costs one call
 * at most, and never an interaction.
 *
 * A wasm trap leaves its instance in an unknown state: later calls could answer wrongly. The instance
 * is therefore dropped at once, a new one is made from the same compiled module, the archive's bytes
 * are copied across and verified, scenarios are set and the profile's log is replayed, and the call is tried once more.
 * All of that is synchronous, because the calls it repairs are. The pieces of an archive that is still
 * arriving come through here too, so that they reach whichever instance is in place.
 */
export class Supervisor {
  readonly #module: WebAssembly.Module;
  readonly #log: () => Iterable<EngineEntry>;
  #instance: Instance | undefined;
  #restarts = 0;
  #closed = "";
  #scenarios: string | undefined;

  /**
   * @param module - The compiled module, kept for later instances.
   * @param instance - An instance with room for the archive.
   * @param log - Gives the profile's log as the wrapper knows it.
   */
  constructor(module: WebAssembly.Module, instance: Instance, log: () => Iterable<EngineEntry>) {
    this.#module = module;
    this.#instance = instance;
    this.#log = log;
  }

  /**
   * Calls the engine.
   *
   * @param use - The call, of the engine or the instance that it is part of. It may run twice, so it must do
   *   nothing else.
   * @throws NearfieldError what the engine reports, `E_ENGINE` when it fails twice on the same call,
   *   `E_NOT_READY` after {@link close}.
   */
  call<T>(use: (engine: Engine, instance: Instance) => T): T {
    for (let attempt = 0; ; attempt += 1) {
      const instance = this.#required();
      try {
        return use(instance.engine, instance);
      } catch (thrown) {
        const typed = asNearfieldError(thrown);
        if (typed !== undefined) throw typed;
        this.#replace(instance, thrown);
        if (attempt > 0) {
          throw new NearfieldError(
            "E_ENGINE",
            "the engine stopped on this call twice; a new instance is in place for other calls",
            { restarts: this.#restarts },
            { cause: thrown },
          );
        }
      }
    }
  }

  /**
   * Sets the caller's scenarios, for this instance and those that replace it.
   *
   * @throws NearfieldError `E_ARG` for one that is wrong, with its path.
   */
  setScenarios(json: string): void {
    this.call((engine) => engine.set_scenarios(json));
    this.#scenarios = json;
  }

  /**
   * Writes the next piece of the archive.
   *
   * @throws NearfieldError `E_NOT_READY` after {@link close}.
   */
  append(chunk: Uint8Array): void {
    this.#required().append(chunk);
  }

  /**
   * Has the engine look at what has arrived; see {@link Instance.arrive}. After a failure the archive
   * stays open as far as it was before, in an instance that has never seen the damaged section: no
   * answer rests on bytes that failed their check.
   *
   * @returns Whether the archive is open.
   * @throws NearfieldError what the engine reports, `E_ENGINE`, `E_NOT_READY` after {@link close}.
   */
  arrive(verify: boolean): boolean {
    const instance = this.#required();
    try {
      return instance.arrive(verify);
    } catch (thrown) {
      if (instance.isOpen) this.#replace(instance, thrown);
      throw asNearfieldError(thrown) ??
        new NearfieldError("E_ENGINE", "the engine stopped while opening the archive", {}, { cause: thrown });
    }
  }

  /** The first bytes of the archive, at most `length` of those that have arrived. */
  head(length: number): Uint8Array {
    return this.#required().head(length);
  }

  /** Drops the instance and with it all of its memory. Later calls throw `E_NOT_READY`. */
  close(reason: string): void {
    this.#instance = undefined;
    this.#closed = reason;
  }

  #required(): Instance {
    if (this.#instance === undefined) throw new NearfieldError("E_NOT_READY", this.#closed);
    return this.#instance;
  }

  #replace(stopped: Instance, thrown: unknown): void {
    this.#restarts += 1;
    this.close("the engine stopped and could not be replaced; open the archive again");
    try {
      const fresh = stopped.clone(this.#module);
      if (this.#scenarios !== undefined) fresh.engine.set_scenarios(this.#scenarios);
      replay(fresh.engine, this.#log());
      this.#instance = fresh;
    } catch (cause) {
      const typed = asNearfieldError(cause);
      throw new NearfieldError(
        "E_ENGINE",
        "the engine stopped and could not be replaced; open the archive again",
        { restarts: this.#restarts, replacing: typed?.code },
        { cause: thrown },
      );
    }
  }
}

/** Whether the engine refused what it was given, and works on. */
export function isRefusal({ code }: NearfieldError): boolean {
  return code === "E_ARG" || code === "E_FILTER";
}

/**
 * Gives an entry to an engine.
 *
 * @returns Whether it changed anything; `undefined` when the engine refused it.
 */
export function offer(engine: Engine, entry: EngineEntry): boolean | undefined {
  try {
    return engine.append(entry);
  } catch (thrown) {
    const typed = asNearfieldError(thrown);
    if (typed === undefined || !isRefusal(typed)) throw thrown;
    return undefined;
  }
}

/**
 * Gives a log to an engine. An entry the engine refuses is left out there and stays in the log: it may
 * come from a newer release that knows more kinds of interaction, or exclude by a column that another
 * archive has.
 */
export function replay(engine: Engine, log: Iterable<EngineEntry>): void {
  for (const entry of log) offer(engine, entry);
}
