import type { EngineEntry, EngineEvent } from "./contract.js";
import { asNearfieldError, NearfieldError } from "./errors.js";
import { finite, flag, moment, nonEmpty, readOptions, text, wrong } from "./options.js";
import type { Check } from "./options.js";
import { given, randomName, same } from "./plain.js";
import { context, interactionKind, placedItems, readProfile, readSelector, writeProfile } from "./profile-file.js";
import type {
  Compacted,
  ExcludeOptions,
  Imported,
  Interaction,
  ProfileEntry,
  Recorded,
  Selector,
  Shown,
} from "./profile-types.js";
import { profileNames } from "./store/database.js";
import { openStore } from "./store/open.js";
import type { Storage } from "./store/open.js";
import type { ProfileStore } from "./store/store.js";
import { isRefusal, offer, replay } from "./supervisor.js";
import type { Supervisor } from "./supervisor.js";

const INTERACTION = {
  item: nonEmpty,
  kind: interactionKind,
  weight: finite,
  at: moment,
  source: nonEmpty,
  context,
  taste: flag,
};
const SHOWN = { slate: nonEmpty, policy: nonEmpty, context, items: placedItems, at: moment };

const DAY_MS = 86_400_000;
/** The last millisecond of the year 9999, the latest time that a log takes. */
const LATEST_MS = 253_402_300_799_999;

/** A profile's name; `false` for one that is forgotten. */
export const profileName: Check<string | false> = (value, at) => (value === false ? false : nonEmpty(value, at));

/** What `open` says about the profile. */
export interface ProfileOptions {
  readonly name: string | false;
  readonly storage: Storage;
  readonly recording: boolean;
  /** In days. */
  readonly maxAge: number | undefined;
}

/**
 * What one person did, as a log that is never rewritten: taking something back is an entry too. The
 * log stays on the device; nothing here sends it anywhere.
 *
 * Every change is in effect when the call returns; whether it is also kept is a second question, which
 * its `durable` promise answers. No call waits for storage.
 */
export class Profile {
  readonly #supervisor: Supervisor;
  readonly #storage: Storage;
  readonly #maxAgeMs: number;
  #store: ProfileStore;
  #name: string | false;
  #recording: boolean;
  /** What is older is not let in. */
  #oldestMs = -Infinity;
  /** The log by identity, kept outside the engine so that an engine's failure cannot lose it. */
  readonly #log: Map<string, EngineEntry>;
  readonly #listeners = new Set<() => void>();
  /** This writer's name: random, so that tabs need not agree on sequence numbers. */
  #device = randomName();
  #sequence = 0;
  /** Counts the switches, so that one that was overtaken notices it. */
  #switches = 0;

  /** @internal Made by `open`, with a log that the engine knows already. */
  constructor(
    supervisor: Supervisor,
    log: Map<string, EngineEntry>,
    { name, storage, recording, maxAge = Infinity }: ProfileOptions,
    store: ProfileStore,
  ) {
    this.#supervisor = supervisor;
    this.#log = log;
    this.#name = name;
    this.#storage = storage;
    this.#recording = recording;
    this.#maxAgeMs = maxAge * DAY_MS;
    this.#store = store;
    this.#start();
  }

  /** The profile's name; `false` for one that is forgotten on `dispose()`. */
  get name(): string | false {
    return this.#name;
  }

  /** Where the log is kept, after any fallback. */
  get storage(): "indexeddb" | "memory" {
    return this.#store.kind;
  }

  /**
   * Whether {@link Profile.record} and {@link Profile.shown} have an effect. `open` says how it starts;
   * set it when the person consents or objects. It is not kept: the page knows what was agreed, and says
   * so at the next `open`. What was recorded before stays and counts; {@link Profile.erase} is the way to
   * be rid of it. Exclusions and imports are the person's own doing and work either way.
   */
  get recording(): boolean {
    return this.#recording;
  }

  /** @throws NearfieldError `E_ARG` for anything but `true` and `false`. */
  set recording(on: boolean) {
    this.#recording = flag(on, "profile.recording");
  }

  /**
   * Records an interaction. The next answer knows it.
   *
   * @returns With `recorded: false`, and nothing changed, while {@link Profile.recording} is off and for
   *   an interaction older than `maxAge`.
   * @throws NearfieldError `E_ARG`. Failing storage never throws: see {@link Recorded.durable}.
   */
  record(interaction: Interaction): Recorded {
    const { item, kind, at, weight, source, context, taste } = readOptions("record", interaction, INTERACTION);
    if (item === undefined) throw wrong("record option item", "a non-empty string", item);
    if (kind === undefined) throw wrong("record option kind", "a kind of interaction", kind);
    return this.#observe(
      { type: "interaction", item, kind, ...given({ weight, source, context, taste }) },
      at,
    );
  }

  /**
   * Records that a slate was shown: which items stood where, by which policy and with which propensity.
   * Impressions carry no taste and make nothing "seen"; they are what `count("impression", "7d")` counts
   * and what exploration learns from.
   *
   * @returns As {@link Profile.record}.
   * @throws NearfieldError `E_ARG`.
   */
  shown(shown: Shown): Recorded {
    const { slate, policy, context, items, at } = readOptions("shown", shown, SHOWN);
    if (slate === undefined) throw wrong("shown option slate", "a non-empty string", slate);
    if (items === undefined) throw wrong("shown option items", "an array of items", items);
    return this.#observe({ type: "shown", slate, ...given({ policy, context }), items }, at);
  }

  /**
   * Takes interactions out of taste, past and future ones, until {@link Profile.include}. Answers are
   * then, bit for bit, those of a profile in which they were recorded with `taste: false`; with
   * `forgetSeen`, of one that never had them.
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
      this.#wordTime(),
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
      this.#wordTime(),
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
   * order, gives the same profile. What is older than `maxAge` stays out.
   *
   * @throws NearfieldError `E_ARG` naming the first bad entry; then nothing has changed.
   */
  import(json: string): Imported {
    const read = readProfile(text(json, "import"));
    const young = read.filter((entry) => !this.#isExpired(entry));
    const { added, refused } = this.#merge(young);
    if (refused !== undefined) throw refused;
    const recorded = added.length > 0;
    const durable = quiet(recorded ? this.#store.append(added) : Promise.resolve());
    if (recorded) this.#changed();
    const [known, expired] = [young.length - added.length, read.length - young.length];
    return { recorded, added: added.length, known, expired, durable };
  }

  /**
   * Drops what no longer counts, from storage too: interactions and shown slates older than `maxAge`, and
   * words about exclusion that a later word on the same selector has replaced. Happens by itself whenever
   * a profile is opened; a page that stays open for days may call it. Without `maxAge` nothing is too old.
   */
  compact(): Compacted {
    this.#oldestMs = Math.max(this.#oldestMs, Date.now() - this.#maxAgeMs);
    const [before, after] = this.#supervisor.call((engine) => {
      const known = engine.entries().map(identity);
      engine.compact_profile(Date.now(), this.#maxAgeMs);
      return [known, new Set(engine.entries().map(identity))];
    });
    const gone = new Set(before.filter((key) => !after.has(key)));
    // Entries that the engine does not understand grow old too.
    const dropped = [...this.#log].filter(([key, entry]) => gone.has(key) || this.#isExpired(entry));
    for (const [key] of dropped) this.#log.delete(key);
    const entries = dropped.map(([, entry]) => entry);
    const durable = quiet(entries.length === 0 ? Promise.resolve() : this.#store.remove(entries));
    if (entries.length > 0) this.#changed();
    return { dropped: entries.length, durable };
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

  /**
   * The names of this origin's profiles that have something in storage, in alphabetical order: what a
   * page offers when it asks who is there. Empty where the host has no storage.
   *
   * @throws NearfieldError `E_STORE` (as a rejection) when storage refused.
   */
  names(): Promise<string[]> {
    return profileNames();
  }

  /**
   * Goes on with the profile of another name, or with one that is forgotten: the whole log is exchanged
   * at once when the other one has been read, and until then everything belongs to the profile before.
   * What was recorded is kept under its own name; subscribers stay and hear of it.
   *
   * @param name - As the option `profile` of `open`.
   * @throws NearfieldError `E_ARG`; as rejections `E_ABORTED` when another switch came after this one, and
   *   `E_NOT_READY` when the archive was disposed of meanwhile.
   */
  async switchTo(name: string | false): Promise<void> {
    const wanted = profileName(name, "profile name");
    const turn = (this.#switches += 1);
    const { store, entries } = await openStore(wanted, this.#storage);
    if (turn !== this.#switches) {
      store.close();
      throw new NearfieldError("E_ABORTED", "another switch of profiles came after this one");
    }
    try {
      // Throws after `dispose`, and then nothing has changed.
      this.#supervisor.call((engine) => {
        engine.clear_profile();
        replay(engine, entries);
      });
    } catch (error) {
      store.close();
      throw error;
    }
    this.#store.close();
    [this.#store, this.#name, this.#oldestMs] = [store, wanted, -Infinity];
    this.#log.clear();
    for (const entry of entries) this.#log.set(identity(entry), entry);
    this.#rename();
    this.#start();
    this.#changed();
  }

  /** @internal Called by `dispose`. */
  close(): void {
    this.#listeners.clear();
    this.#store.close();
  }

  /** Begins with a store that was read: lets go of what is too old, and follows other tabs. */
  #start(): void {
    if (this.#maxAgeMs < Infinity) this.compact();
    this.#store.listen({
      entries: (entries) => this.#absorb(entries),
      erased: () => this.#clear(),
    });
  }

  /** Whether an entry is of the sort that grows old, and has. */
  #isExpired({ event, at_ms }: EngineEntry): boolean {
    return at_ms < this.#oldestMs && !isWord(event);
  }

  /** Records what happened, if anything is recorded now. */
  #observe(event: EngineEvent, at = Date.now()): Recorded {
    if (!this.#recording) return { recorded: false, durable: Promise.resolve() };
    return this.#append(event, at);
  }

  /**
   * The time of a word about exclusion: after every earlier word, also one by a device whose clock is
   * ahead, or what the person says now would be taken for the older word.
   */
  #wordTime(): number {
    let at = Date.now();
    for (const { event, at_ms } of this.#log.values()) {
      if (isWord(event) && at_ms >= at) at = at_ms + 1;
    }
    return Math.min(at, LATEST_MS);
  }

  #append(event: EngineEvent, at_ms: number): Recorded {
    const entry = { device: this.#device, sequence: this.#sequence + 1, at_ms, event };
    if (this.#isExpired(entry)) return { recorded: false, durable: Promise.resolve() };
    // The engine first: what it refuses must not be kept.
    this.#supervisor.call((engine) => engine.append(entry));
    this.#sequence += 1;
    this.#log.set(identity(entry), entry);
    const durable = quiet(this.#store.append([entry]));
    this.#changed();
    return { recorded: true, durable };
  }

  /** The entries that the log lacks, or has otherwise: which of two then counts, the engine decides. */
  #missing(entries: readonly EngineEntry[]): EngineEntry[] {
    return entries.filter((entry) => !same(this.#log.get(identity(entry)), entry));
  }

  /** Takes in what another tab has already kept; what this engine does not understand stays aside. */
  #absorb(entries: readonly EngineEntry[]): void {
    const missing = this.#missing(entries).filter((entry) => !this.#isExpired(entry));
    const taken = this.#supervisor.call((engine) =>
      missing.filter((entry) => offer(engine, entry) ?? !this.#log.has(identity(entry))),
    );
    for (const entry of taken) this.#log.set(identity(entry), entry);
    if (taken.length > 0) this.#changed();
  }

  /** Takes in an import, all or nothing; `refused` is the engine's first objection, if it had one. */
  #merge(entries: readonly EngineEntry[]): { added: EngineEntry[]; refused?: NearfieldError } {
    const missing = this.#missing(entries);
    let taken: EngineEntry[];
    try {
      taken = this.#supervisor.call((engine) => missing.filter((entry) => engine.append(entry)));
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
    const added = new Map(taken.map((entry) => [identity(entry), entry]));
    for (const [key, entry] of added) this.#log.set(key, entry);
    return { added: [...added.values()] };
  }

  #clear(): void {
    this.#log.clear();
    this.#rename();
    this.#supervisor.call((engine) => engine.clear_profile());
    this.#changed();
  }

  /** A new writer: sequence numbers of the old one may have been seen by other devices. */
  #rename(): void {
    this.#device = randomName();
    this.#sequence = 0;
  }

  #changed(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}

/** The key under which the log holds an entry. Sequence first: it cannot contain the separator. */
export function identity(entry: EngineEntry): string {
  return `${entry.sequence} ${entry.device}`;
}

/** Whether an event is a word about exclusion, which has no age. */
function isWord({ type }: EngineEvent): boolean {
  return type === "exclude" || type === "include";
}

/** Marks a promise as one that may be ignored, without changing what it tells those who look. */
function quiet(durable: Promise<void>): Promise<void> {
  durable.catch(() => {});
  return durable;
}

function toPublic({ device, sequence, at_ms: at, event }: EngineEntry): ProfileEntry {
  if (event.type === "interaction" || event.type === "shown") return { device, sequence, at, event };
  const { from_ms: from, to_ms: to, ...same } = event.selector;
  const selector = { ...same, ...given({ from, to }) };
  if (event.type === "include") return { device, sequence, at, event: { type: "include", selector } };
  const forgetSeen = event.forget_seen;
  return { device, sequence, at, event: { type: "exclude", selector, ...given({ forgetSeen }) } };
}
