import type { Recall } from "./contract.js";
import type { Profile } from "./profile.js";
import type { Context } from "./profile-types.js";
import type { Scenario, SlateOptions } from "./slate.js";
import type { Params, Where } from "./where.js";

export type * from "./answer-types.js";
export type { Basis, FieldValue, InteractionKind, Recall } from "./contract.js";
export type * from "./slate.js";
export type { Duration, FieldRef, NumberOf, Operand, ParamRef, Params, ParamValue, Where } from "./where.js";

/**
 * Where an archive's bytes come from. A string or `URL` is fetched (in Node a path or a `file:` URL
 * is read from disk); bytes are copied once into the engine's memory and not kept.
 */
export type ArchiveSource = string | URL | Response | ArrayBuffer | Uint8Array | Blob;

/** Where the bytes of the wasm module come from. */
export type WasmBytes = string | URL | Response | ArrayBuffer | Uint8Array;

/** The wasm module, as bytes or compiled already; a compiled one may be shared by many archives. */
export type WasmSource = WasmBytes | WebAssembly.Module;

/**
 * The two forms of the engine: one for every host with SIMD, and one about twice as fast for hosts with
 * relaxed SIMD. Both give the same answers, bit for bit.
 */
export type EngineKind = "simd128" | "relaxed";

/** Both modules, for `open` to choose from; only the chosen one is read. */
export interface WasmModules {
  /** `nearfield/nearfield.wasm`. */
  readonly simd128: WasmSource;
  /** `nearfield/nearfield_relaxed.wasm`. */
  readonly relaxed: WasmSource;
}

/** How far loading has come. */
export interface Progress {
  /** Bytes of the archive received so far, never falling. */
  readonly receivedBytes: number;
  /** Bytes expected in all; `undefined` when the server did not say, or compressed the transfer. */
  readonly totalBytes: number | undefined;
}

/** Options of `open`. */
export interface OpenOptions {
  /**
   * The wasm module, or both. Default: the files shipped beside the package, found through
   * `import.meta.url`. Give their addresses where a bundler moves the JavaScript but not the wasm; a
   * single one runs whatever the host could do better.
   */
  readonly wasm?: WasmSource | WasmModules;
  /**
   * Which form of the engine runs. `"auto"` computes a few sums by relaxed SIMD and takes the faster
   * form where all of them are right. `"relaxed"` is `E_UNSUPPORTED` where they are not. Default:
   * `"auto"`.
   */
  readonly engine?: EngineKind | "auto";
  /**
   * The profile's name, shared by every tab of this origin that uses the same one. Item ids are the
   * profile's only link to an archive, so catalogs with different ids want different names.
   * `false`: a profile of its own that is forgotten on `dispose()`. Default: `"default"`.
   */
  readonly profile?: string | false;
  /**
   * Where the profile is kept. `"indexeddb"` falls back to memory where the host has none or
   * refuses; `nf.profile.storage` tells which it became. Default: `"indexeddb"`.
   */
  readonly storage?: "indexeddb" | "memory";
  /**
   * Whether interactions and shown slates are recorded from the start. `false` waits for the person's
   * consent: until `nf.profile.recording` is set to `true`, `record` and `shown` change nothing and say
   * so. What was kept before is still there and still counts. Default: `true`.
   */
  readonly recording?: boolean;
  /**
   * How many days interactions and shown slates count and are kept: older ones are deleted, from
   * storage too, when the profile is opened and when {@link Profile.compact} is called, and an import
   * does not bring them back. Answers are those of a profile that never had them. Default: no limit.
   */
  readonly maxAge?: number;
  /**
   * Stops loading; `open`, or `nf.loaded` after it, then rejects with `E_ABORTED`. Default: none.
   */
  readonly signal?: AbortSignal;
  /** Called after each piece of the archive that arrives. An error it throws ends loading. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Whether to check a section's hash before the first answer that rests on it (some 9 ms for 72 MB in
   * all). Opening alone is safe on any bytes, but only a checked archive is known to answer truly.
   * Default: `true`.
   */
  readonly verify?: boolean;
  /**
   * Whether `open` resolves as soon as there is enough to answer, while the rest goes on loading;
   * `nf.loaded` tells when all is there. Until then answers may be `approximate`, and titles and texts
   * that have not arrived are `E_NOT_READY`. `where` and `exclude` are exact from the start. Where the
   * length is not known beforehand (a compressed transfer) everything arrives at once. Default: `false`.
   */
  readonly progressive?: boolean;
  /**
   * Named defaults of requests, beside those of the archive; of two with one name these count. A wrong
   * one is `E_ARG` with its path. Default: none.
   */
  readonly scenarios?: Readonly<Record<string, Scenario>>;
}

/** Options that say which items a call is about. */
export interface FilterOptions {
  /**
   * Keep only items for which this holds: text such as `'genres has "jazz" and not explicit'`, or the
   * same as an object. Default: all items.
   */
  readonly where?: string | Where;
  /** Values of the parameters that `where` names (`$from`). Default: none. */
  readonly params?: Params;
  /**
   * The moment the answer is for, as milliseconds since 1970 or a `Date`: ages and durations in `where`
   * count back from it. The same profile, archive, options and moment give the same answer, bit for
   * bit. Default: the present.
   */
  readonly now?: number | Date;
}

/** Options that every listing call has. */
export interface ListOptions extends FilterOptions {
  /** Number of results asked for, 1 to 10,000. Default: 10. Fewer come when fewer qualify. */
  readonly k?: number;
  /** Columns to bring back with each item. Default: none, and the items have no `fields`. */
  readonly fields?: readonly string[];
  /** Drop these item ids. Unknown ids drop nothing. Default: none. */
  readonly exclude?: readonly string[];
}

/** Options of `similar`. */
export interface SimilarOptions extends ListOptions {
  /**
   * How thorough the search is: the share of the truly best items that it finds on average, between 0
   * and 1, or `"exhaustive"`, which leaves out only what lies too far to matter, as far as the archive's
   * builder measured (behind a filter, for sure). Large catalogs answer faster for less.
   * Default: what the archive was built for.
   */
  readonly recall?: Recall;
}

/** What every request about a person may say beside what a scenario may. */
export interface PersonOptions {
  /** The scenario whose members count where this request is silent. Default: none. */
  readonly scenario?: string;
  /** The moment the answer is for; see {@link FilterOptions.now}. Default: the present. */
  readonly now?: number | Date;
}

/** Options of `recommend`. */
export interface RecommendOptions extends SlateOptions, PersonOptions {
  /** Columns to bring back with each item. Default: none, and the items have no `fields`. */
  readonly fields?: readonly string[];
  /** How thorough the search is; see {@link SimilarOptions.recall}. */
  readonly recall?: Recall;
  /** Whether items carry the parts of their scores. Default: `false`. */
  readonly parts?: boolean;
  /** Whether the answer says for each place why better-scored items were passed over. Default: `false`. */
  readonly trace?: boolean;
}

/** Options of `rank`. `k` is by default the number of ids. */
export type RankOptions = Omit<RecommendOptions, "seen">;

/** Options of `discover`. */
export interface DiscoverOptions extends Omit<RecommendOptions, "seen"> {
  /** Ids of items that are liked. Default: none. */
  readonly like?: readonly string[];
  /** Ids of items that are disliked. Default: none. */
  readonly dislike?: readonly string[];
}

/** Options of `rows`. `k` is the length of each row; `interests`, how many rows at most, is by default `"auto"`. */
export type RowsOptions = RecommendOptions;

/** Options of `summary`. What of the past counts is said as in `recommend`. */
export interface SummaryOptions
  extends PersonOptions, Pick<SlateOptions, "labels" | "context" | "focus" | "windows" | "halflives"> {
  /** A column of content types: a category, tags or a flag. Default: none, and `mix` is empty. */
  readonly mix?: string;
  /** A column that says when items are from: a date, a year. Default: none, and `new` is absent. */
  readonly age?: string;
}

/** Options of `onboarding`. */
export interface OnboardingOptions
  extends PersonOptions, Pick<SlateOptions, "k" | "where" | "params" | "exclude" | "seen" | "seed"> {
  /** The columns wanted. Default: all, as of `item`. */
  readonly fields?: readonly string[];
}

/** Options of `shown`. */
export interface ShownOptions {
  /** What else was so. Default: the `context` of the request. */
  readonly context?: Context;
  /** When, in milliseconds since 1970 or as a `Date`. Default: now. */
  readonly at?: number | Date;
}

/** Options of `search`. */
export type SearchOptions = ListOptions;

/** Options of `facets`. */
export interface FacetsOptions extends FilterOptions {
  /** How many values at most, the most frequent ones. Default: all of them. */
  readonly limit?: number;
}

/** One value of a column and how many items have it. */
export interface Facet {
  /** The value. */
  readonly value: string | number | boolean;
  /** How many items have it, at least 1. */
  readonly count: number;
}

/** One section of the archive. */
export interface Section {
  /** The section's name. */
  readonly name: string;
  /** Its length. */
  readonly bytes: number;
}

/** One column of the catalog. */
export interface Column {
  /** The name used in `fields` and `where`. */
  readonly name: string;
  /** Its type, such as `"integer"` or `"tags"`. */
  readonly kind: string;
  /** How many items have no value. */
  readonly nNull: number;
  /** How many different values there are, where that is counted. */
  readonly nDistinct?: number;
  /** The least value of a numeric column, or of a date column as `"2014-12-31"`. */
  readonly min?: number | string;
  /** The greatest value, likewise. */
  readonly max?: number | string;
}

/** What an open archive says about itself. */
export interface ArchiveInfo {
  /** Number of items. */
  readonly nItems: number;
  /** Components of each item's vector. */
  readonly dim: number;
  /** `"inner_product"`, `"cosine"` or `"euclidean"`. */
  readonly metric: string;
  /** Bits a component in the items' codes, 5 to 8. */
  readonly codeBits: number;
  /** Lists that the items are divided into; a search may look at some of them only. */
  readonly nLists: number;
  /** Version of the archive's format, not of this package. */
  readonly formatVersion: number;
  /** Length of the whole archive. */
  readonly totalBytes: number;
  /** The convention by which a taste is computed from interactions. */
  readonly foldin: string;
  /** Whether that is exactly the producer's own algebra (a factor model) or an approximation. */
  readonly foldinExact: boolean;
  /** The archive's parts, in file order. */
  readonly sections: readonly Section[];
  /** The catalog's columns. */
  readonly columns: readonly Column[];
}
