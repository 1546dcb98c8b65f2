import type { EngineEntry, EngineEvent, InteractionKind } from "./contract.js";
import { asNearfieldError, NearfieldError } from "./errors.js";
import { finite, flag, moment, nonEmpty, readOptions, text, wrong } from "./options.js";
import { given } from "./plain.js";
import { interactionKind, readProfile, readSelector, writeProfile } from "./profile-file.js";
import type { ProfileStore } from "./store/store.js";
import { isRefusal, replay } from "./supervisor.js";
import type { Supervisor } from "./supervisor.js";
import type { Where } from "./where.js";

/** Something the person did to an item. */
export interface Interaction {
  /** The item's id. Ids this catalog lacks are kept too: another version of it may have them. */
  readonly item: string;
  /**
   * What was done. `like`, `dislike`, `hide` and `rating` are statements: the latest one about an
   * item replaces earlier ones. All others add up.
   */
  readonly kind: InteractionKind;
  /**
   * How much it counts: a like is 1, negative is against the item. Default: the engine's weight for
   * the kind; a `rating` has none and must bring its own.
   */
  readonly weight?: number;
  /** When, in milliseconds since 1970 or as a `Date`. Default: now. */
  readonly at?: number | Date;
  /** Where it came from (a playlist, a person at the screen), for later exclusion. Default: none. */
  readonly source?: string;
  /** `false`: count the item as seen but never as taste. Default: `true`. */
  readonly taste?: boolean;
}

/** Which interactions to exclude or include: those that match every field given, at least one. */
export interface Selector {
  /** Interactions recorded with this source. */
  readonly source?: string;
  /** Interactions with this item. */
  readonly item?: string;
  /**
   * Interactions with items for which this holds, such as `'genres has "Horror"'`. About columns alone:
   * no ages, no history, no parameters. An object is kept as its JSON text, so {@link Profile.include}
   * takes the same spelling that was excluded.
   */
  readonly where?: string | Where;
}

/** Options of `exclude`. */
export interface ExcludeOptions {
  /** Also forget that the items were seen, so that they may be recommended. Default: `false`. */
  readonly forgetSeen?: boolean;
}

/** What a change of the profile gives back; the change itself is already in effect. */
export interface Recorded {
  /**
   * Resolves once the change would survive the end of the process. Rejects with `E_STORE` or
   * `E_QUOTA` otherwise, always so when `storage` is `"memory"`. May be left alone: a rejection
   * nobody looks at is no unhandled rejection.
   */
  readonly durable: Promise<void>;
}

/** What an import did. */
export interface Imported extends Recorded {
  /** Entries that are new here. */
  readonly added: number;
  /** Entries that were here already. */
  readonly known: number;
}

/** One entry of the log, as `entries()` shows it. */
export interface ProfileEntry {
  /** Which writer made it: one opened profile is one writer. */
  readonly device: string;
  /** Its position among that writer's entries, from 1. */
  readonly sequence: number;
  /** When it happened, in milliseconds since 1970. */
  readonly at: number;
  /** What happened. */
  readonly event:
    | {
        readonly type: "interaction";
        readonly item: string;
        readonly kind: InteractionKind;
        readonly weight?: number;
        readonly source?: string;
        readonly taste?: boolean;
      }
    | { readonly type: "exclude"; readonly selector: Selector; readonly forgetSeen?: boolean }
    | { readonly type: "include"; readonly selector: Selector };
}

const INTERACTION = {
  item: nonEmpty,
  kind: interactionKind,
  weight: finite,
  at: moment,
  source: nonEmpty,
  taste: flag,
};

/**
 * What one person did, as a log that is never rewritten: taking something back is an entry too. The
 * log stays on the device; nothing here sends it anywhere.
 *
 * Every change is in effect when the call returns; whether it is also kept is a second question, which
 * its `durable` promise answers. No call waits for storage.
 */
export class Profile {
  readonly #supervisor: Supervisor;
  readonly #store: ProfileStore;
  /** The log by identity, kept outside the engine so that an engine's failure cannot lose it. */
  readonly #log: Map<string, EngineEntry>;
  readonly #listeners = new Set<() => void>();
  /** This writer's name: random, so that tabs need not agree on sequence numbers. */
  #device = randomName();
  #sequence = 0;

  /** @internal Made by `open`. */
  constructor(supervisor: Supervisor, store: ProfileStore, log: Map<string, EngineEntry>) {
    this.#supervisor = supervisor;
    this.#store = store;
    this.#log = log;
    store.listen({
      entries: (entries) => this.#absorb(entries),
      erased: () => this.#clear(),
    });
  }

  /** Where the log is kept, after any fallback. */
  get storage(): "indexeddb" | "memory" {
    return this.#store.kind;
  }

  /**
   * Records an interaction. The next answer knows it.
   *
   * @throws NearfieldError `E_ARG`. Failing storage never throws: see {@link Recorded.durable}.
   */
  record(interaction: Interaction): Recorded {
    const { item, kind, at, weight, source, taste } = readOptions("record", interaction, INTERACTION);
    if (item === undefined) throw wrong("record option item", "a non-empty string", item);
    if (kind === undefined) throw wrong("record option kind", "a kind of interaction", kind);
    return this.#append(
      { type: "interaction", item, kind, ...given({ weight, source, taste }) },
      at ?? Date.now(),
    );
  }

  /**
   * Takes interactions out of taste, past and future ones, until {@link Profile.include}. Items stay
   * "seen" unless `forgetSeen` is set.
   *
   * @throws NearfieldError `E_ARG`; `E_FILTER` for a `where` that does not compile.
   */
  exclude(selector: Selector, options?: ExcludeOptions): Recorded {
    const { forgetSeen } = readOptions("exclude", options, { forgetSeen: flag });
    return this.#append(
      {
        type: "exclude",
        selector: readSelector("exclude", selector),
        ...given({ forget_seen: forgetSeen }),
      },
      Date.now(),
    );
  }

  /**
   * Undoes an {@link Profile.exclude} with the same selector.
   *
   * @throws NearfieldError `E_ARG`.
   */
  include(selector: Selector): Recorded {
    return this.#append(
      { type: "include", selector: readSelector("include", selector) },
      Date.now(),
    );
  }

  /** The whole log in its canonical order: time, then device, then sequence. */
  entries(): ProfileEntry[] {
    return this.#supervisor.call((engine) => engine.entries()).map(toPublic);
  }

  /**
   * The whole log as JSON text, for the person to keep or to carry to another device.
   *
   * @returns Text that {@link Profile.import} and the `nearfield` command read.
   */
  export(): string {
    return writeProfile(this.#supervisor.call((engine) => engine.entries()));
  }

  /**
   * Merges an exported log into this one. Importing the same text again, or on two devices in either
   * order, gives the same profile.
   *
   * @throws NearfieldError `E_ARG` naming the first bad entry; then nothing has changed.
   */
  import(json: string): Imported {
    const read = readProfile(text(json, "import"));
    const { added, refused } = this.#merge(read);
    if (refused !== undefined) throw refused;
    const durable = quiet(added.length === 0 ? Promise.resolve() : this.#store.append(added));
    if (added.length > 0) this.#changed();
    return { added: added.length, known: read.length - added.length, durable };
  }

  /**
   * Forgets everything, in this tab at once and in every other open tab of this origin, and deletes it
   * from storage. Open tabs cannot write it back.
   *
   * @returns Resolves when nothing is left that any page could read.
   * @throws NearfieldError `E_STORE` (as a rejection) when storage refused; then something may be left.
   */
  async erase(): Promise<void> {
    const erased = this.#store.erase();
    try {
      this.#clear();
    } finally {
      await erased;
    }
  }

  /**
   * Calls back after every change to the log, in this tab or another. Calls come in a microtask of
   * their own, so that several may follow one change.
   *
   * @returns A function that ends it.
   */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @internal Called by `dispose`. */
  close(): void {
    this.#listeners.clear();
    this.#store.close();
  }

  #append(event: EngineEvent, at_ms: number): Recorded {
    const entry = { device: this.#device, sequence: this.#sequence + 1, at_ms, event };
    // The engine first: what it refuses must not be kept.
    this.#supervisor.call((engine) => engine.append(entry));
    this.#sequence += 1;
    this.#log.set(identity(entry), entry);
    const durable = quiet(this.#store.append([entry]));
    this.#changed();
    return { durable };
  }

  /** The entries that the log lacks, each once. */
  #missing(entries: readonly EngineEntry[]): EngineEntry[] {
    const missing = entries.filter((entry) => !this.#log.has(identity(entry)));
    return [...new Map(missing.map((entry) => [identity(entry), entry])).values()];
  }

  /** Takes in what another tab has already kept; what this engine does not understand stays aside. */
  #absorb(entries: readonly EngineEntry[]): void {
    const missing = this.#missing(entries);
    for (const entry of missing) this.#log.set(identity(entry), entry);
    this.#supervisor.call((engine) => replay(engine, missing));
    if (missing.length > 0) this.#changed();
  }

  /** Takes in an import, all or nothing; `refused` is the engine's first objection, if it had one. */
  #merge(entries: readonly EngineEntry[]): { added: EngineEntry[]; refused?: NearfieldError } {
    const unique = this.#missing(entries);
    try {
      this.#supervisor.call((engine) => {
        for (const entry of unique) engine.append(entry);
      });
    } catch (thrown) {
      const refused = asNearfieldError(thrown);
      if (refused === undefined || !isRefusal(refused)) throw thrown;
      // Part of them went in: start again from the log as it was.
      this.#supervisor.call((engine) => {
        engine.clear_profile();
        replay(engine, this.#log.values());
      });
      return { added: [], refused };
    }
    for (const entry of unique) this.#log.set(identity(entry), entry);
    return { added: unique };
  }

  #clear(): void {
    this.#log.clear();
    // A new name: sequence numbers of the old one may have been seen by other devices.
    this.#device = randomName();
    this.#sequence = 0;
    this.#supervisor.call((engine) => engine.clear_profile());
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}

/** The key under which the log holds an entry. Sequence first: it cannot contain the separator. */
export function identity(entry: EngineEntry): string {
  return `${entry.sequence} ${entry.device}`;
}

/** Marks a promise as one that may be ignored, without changing what it tells those who look. */
function quiet(durable: Promise<void>): Promise<void> {
  durable.catch(() => {});
  return durable;
}

/** 72 random bits: two writers with one name would need some 2^36 writers. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(9));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function toPublic(entry: EngineEntry): ProfileEntry {
  const { device, sequence, at_ms: at, event } = entry;
  if (event.type !== "exclude") return { device, sequence, at, event: { ...event } };
  const { type, selector, forget_seen: forgetSeen } = event;
  return { device, sequence, at, event: { type, selector, ...given({ forgetSeen }) } };
}
