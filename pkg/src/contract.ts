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

/** Which items a request is about. `where` and `params` are text; JSON where the caller gave objects. */
export interface EngineFilter {
  where?: string;
  params?: string;
  now_ms?: number;
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

/** Parallel arrays, best first. `because`, when asked for, has one list per item. */
export interface EngineAnswer {
  ordinals: Uint32Array;
  scores: Float64Array;
  qualifying: number;
  basis: Basis;
  approximate?: true;
  because?: { item: string; kind: InteractionKind; at_ms: number; share: number }[][];
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

/** One open archive and one profile inside one wasm instance. */
export interface Engine {
  address(): number;
  arrive(arrived: number): boolean;
  verify(from: number): void;
  info(): EngineInfo;
  ids(ordinals: Uint32Array): string[];
  has(id: string): boolean;
  ordinal(id: string): number | undefined;
  cards(ordinals: Uint32Array, fields: readonly string[]): Record<string, FieldValue>[];
  facets(field: string, request: EngineFilter & { limit?: number }): { value: string | number | boolean; count: number }[];
  count(request: EngineFilter): number;
  similar(
    request: EngineFilter & {
      id?: string;
      vector?: Float32Array;
      k?: number;
      exclude?: readonly string[];
      recall?: Recall;
    },
  ): EngineAnswer;
  recommend(
    request: EngineFilter & {
      k?: number;
      exclude?: readonly string[];
      recall?: Recall;
      seen?: "exclude" | "include";
      explain?: number;
    },
  ): EngineAnswer;
  find(text: string, request: EngineFilter & { k?: number; exclude?: readonly string[] }): EngineAnswer;
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
