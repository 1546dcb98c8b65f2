/**
 * The surface of the wasm module as this package uses it: what `src/wasm` in the Rust crate exports
 * and nothing more. Names are the engine's own (`snake_case`), so that a reader can find each of
 * them in the Rust source; the public types in `types.ts` are their camelCase mirror.
 */

/** What an interaction was. The list is closed: the engine gives each kind a default weight. */
export type InteractionKind =
  | "play"
  | "complete"
  | "like"
  | "dislike"
  | "skip"
  | "save"
  | "purchase"
  | "hide"
  | "rating"
  | "impression";

/** Key-value pairs that describe a moment. */
export type EngineContext = Record<string, string>;

/** Which interactions an `exclude` or `include` speaks about: all fields given must match. */
export interface EngineSelector {
  source?: string;
  item?: string;
  where?: string;
  from_ms?: number;
  to_ms?: number;
  context?: EngineContext;
}

/** One item of a slate that was shown. */
export interface EnginePlaced {
  item: string;
  position: number;
  propensity?: number;
}

/** One thing that happened to a profile. */
export type EngineEvent =
  | {
      type: "interaction";
      item: string;
      kind: InteractionKind;
      weight?: number;
      source?: string;
      context?: EngineContext;
      taste?: boolean;
    }
  | { type: "shown"; slate: string; policy?: string; context?: EngineContext; items: EnginePlaced[] }
  | { type: "exclude"; selector: EngineSelector; forget_seen?: boolean }
  | { type: "include"; selector: EngineSelector };

/** One entry of the profile's log; (`device`, `sequence`) is its identity everywhere. */
export interface EngineEntry {
  device: string;
  sequence: number;
  at_ms: number;
  event: EngineEvent;
}

/** What stands behind an answer. */
export type Basis = "taste" | "prior" | "similarity" | "title";

/** How thorough a search is: a share of the true best, within 0 to 1, or every item. */
export type Recall = number | "exhaustive";

/** What tells an interest from the rest of the catalog: a value of a column, or a decade of one. */
export type EngineLabel = { field: string; value: string } | { field: string; decade: number };

/** An interest of a person. */
export interface EngineInterest {
  medoid: string;
  size: number;
  importance: number;
  labels: EngineLabel[];
}

/** A place between two ends, and what it was measured on. */
export interface EngineAxis {
  value: number;
  measured: number;
  n_items: number;
}

/** What is to be said of a taste. */
export interface EngineSummary {
  interests: EngineInterest[];
  mix: { value: string; share: number }[];
  exploring?: EngineAxis;
  niche?: EngineAxis;
  new?: EngineAxis;
  varied?: EngineAxis;
}

/** How a place of a slate came to its item. */
export interface EngineStep {
  position: number;
  item: string;
  reason: "value" | "pin" | "pool";
  rule?: string;
  passed: { item: string; why: string; rule?: string; similarTo?: string; similarity?: number }[];
}

/** What was asked for and could not be done. */
export interface EngineUnmet {
  what: "pin" | "pool" | "quota" | "k";
  name: string;
  missing: number;
}

/**
 * Parallel arrays in the order of the items. `parts` has one row an item, one number for each of
 * `part_names`; the others, where they are there, one entry an item. `requested` is the `k` that the
 * request came to, scenarios included.
 */
export interface EngineAnswer {
  ordinals: ArrayLike<number>;
  scores: ArrayLike<number>;
  requested: number;
  qualifying: number;
  basis: Basis;
  approximate?: true | undefined;
  because?: { item: string; kind: InteractionKind; at_ms: number; share: number }[][];
  part_names?: string[];
  parts?: Float64Array;
  policy?: string;
  propensities?: (number | undefined)[];
  explored?: ArrayLike<number>;
  explored_relevance?: Float64Array;
  interests?: EngineInterest[];
  interest_of?: (number | undefined)[];
  trace?: EngineStep[];
  unmet?: EngineUnmet[];
  warnings?: string[];
}

/** A column of the catalog as the archive describes it. */
export interface EngineColumn {
  name: string;
  kind: string;
  n_null: number;
  n_distinct?: number;
  min?: number | string;
  max?: number | string;
}

/** What the open archive says about itself. */
export interface EngineInfo {
  n_items: number;
  dim: number;
  metric: string;
  code_bits: number;
  n_lists: number;
  format_version: number;
  total_bytes: number;
  foldin: string;
  foldin_exact: boolean;
  sections: { name: string; bytes: number }[];
  columns: EngineColumn[];
}

/** A value as a column holds it; `null` where the item has none. */
export type FieldValue = string | number | boolean | readonly string[] | null;

/** One open archive and one profile inside one wasm instance. Every `request` is JSON text. */
export interface Engine {
  address(): number;
  arrive(arrived: number): boolean;
  verify(from: number): void;
  info(): EngineInfo;
  ids(ordinals: ArrayLike<number>): string[];
  has(id: string): boolean;
  ordinal(id: string): number | undefined;
  cards(ordinals: ArrayLike<number>, fields: readonly string[]): Record<string, FieldValue>[];
  facets(
    field: string,
    limit: number | undefined,
    request: string,
  ): { value: string | number | boolean; count: number }[];
  count(request: string): number;
  /** More like the item, or else the vector. */
  similar(id: string | undefined, vector: Float32Array, request: string): EngineAnswer;
  /**
   * The nearest items to a vector when nothing else is asked. A recall of `NaN` is the archive's own,
   * `Infinity` looks at all items. Gives the byte address, up to the next call, of 64-bit floats in linear
   * memory: how many were found, how many qualify, whether scores are approximate, the ordinals, the scores.
   */
  nearest(vector: Float32Array, k: number, recall: number): number;
  find(text: string, request: string): EngineAnswer;
  recommend(request: string): EngineAnswer;
  rank(ids: readonly string[], request: string): EngineAnswer;
  discover(like: readonly string[], dislike: readonly string[], request: string): EngineAnswer;
  rows(request: string): EngineAnswer[];
  summary(mix: string | undefined, age: string | undefined, request: string): EngineSummary | undefined;
  onboarding(request: string): Uint32Array;
  set_scenarios(json: string): void;
  append(entry: EngineEntry): boolean;
  clear_profile(): void;
  compact_profile(now_ms: number, max_age_ms: number): void;
  entries(): EngineEntry[];
}

/** What one call of the glue's factory gives: an initialiser with the exported class on it. */
export interface Glue {
  (input: { module_or_path: WebAssembly.Module }): Promise<{ memory: WebAssembly.Memory }>;
  initSync(input: { module: WebAssembly.Module }): { memory: WebAssembly.Memory };
  Engine: new (length: number) => Engine;
}
