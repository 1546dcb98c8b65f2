import type { Basis, FieldValue, InteractionKind } from "./contract.js";

/** One past interaction's part in a recommendation. */
export interface Because {
  /** The item interacted with. */
  readonly item: string;
  /** What the interaction was. */
  readonly kind: InteractionKind;
  /** When it was, in milliseconds since 1970. */
  readonly at: number;
  /**
   * Its part of the taste term. Shares of all interactions add up to that term; a dislike's share
   * is usually negative.
   */
  readonly share: number;
}

/** Columns of one item, by name; a column without a value for the item is `null`. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** One item of an answer. */
export interface Item {
  /** The catalog's own id. */
  readonly id: string;
  /**
   * Higher is better. Comparable within one answer only. Of a title search, minus the number of
   * typing errors.
   */
  readonly score: number;
  /** The strongest reasons first; present when `explain` was at least 1. */
  readonly because?: readonly Because[];
  /**
   * What the score is the sum of, up to rounding: `taste`, `prior`, `freshness`, and boosts by their
   * names, those of one name added. Present when `parts` was asked for.
   */
  readonly parts?: Readonly<Record<string, number>>;
  /**
   * The probability with which this item came to its place, given those before it. Present where the
   * place was left to chance and the probability is known.
   */
  readonly propensity?: number;
  /** Which interest found it: its position in `interests` of the answer. */
  readonly interest?: number;
  /** The columns asked for; present when `fields` was given. */
  readonly fields?: Fields;
}

/** Candidates that composition kept out of an answer. */
export interface HeldBack {
  /** What kept them out: `"floor"`, `"cap director"`, `"quota old"` and so on. */
  readonly by: string;
  /** How many there were. */
  readonly count: number;
}

/** Why an answer is shorter than asked. */
export interface Shortfall {
  /** How many items were asked for, by the call or its scenario. */
  readonly requested: number;
  /** How many items came. */
  readonly returned: number;
  /**
   * `"qualifying"`: every item that passed `where`, `exclude` and `seen` is in the answer.
   * `"matches"`: a title search found no more among them. `"composition"`: there were more, and what the
   * request asks of the slate kept them out; `heldBack` says what.
   */
  readonly reason: "qualifying" | "matches" | "composition";
  /** Present when `reason` is `"composition"`. */
  readonly heldBack?: readonly HeldBack[];
}

/** An answer. */
export interface Answer {
  /**
   * An id for this answer that no other one has: what `nf.shown` records it under. Not enumerable, so
   * that two answers to one question are equal, and copies made by spreading have none.
   */
  readonly slate: string;
  /** Best first, ties in the archive's order; where the request asks for a composition, in its order. */
  readonly items: readonly Item[];
  /** How many items passed `where`, `exclude` and `seen`. */
  readonly qualifying: number;
  /**
   * What the order rests on: `"taste"` (this profile), `"prior"` (nothing is known yet, so the
   * catalog's own order of merit), `"similarity"` (nearness to an item or vector), `"title"`.
   */
  readonly basis: Basis;
  /**
   * Present while a part of the archive has not arrived that would refine this answer: scores come from
   * shortened codes, and an item near the end of the list may be another one later.
   */
  readonly approximate?: true;
  /** Present when fewer items came than were asked for. */
  readonly shortfall?: Shortfall;
  /** The policy by which places were left to chance, with its parameters. Present when `explore` was given. */
  readonly policy?: string;
  /**
   * The candidates that those places were drawn from, with the relevance, 0 to 1, that they were drawn
   * by: what an estimate of another policy needs.
   */
  readonly explored?: readonly { readonly id: string; readonly relevance: number }[];
  /** The interests that were searched for, most important first. Present when `interests` found any. */
  readonly interests?: readonly Interest[];
  /** How each place came to its item. Present when `trace` was asked for. */
  readonly trace?: readonly TraceStep[];
  /** Pins, pools and quotas that could not be kept to. Absent when there are none. */
  readonly unmet?: readonly Unmet[];
  /** Remarks that did not prevent an answer, such as an excluded id the catalog lacks. */
  readonly warnings: readonly string[];
}

/** A row of a page: recommendations for one interest. */
export interface Row extends Answer {
  /** The interest. */
  readonly interest: Interest;
}

/** One item by its id. */
export interface CatalogItem {
  /** The catalog's own id. */
  readonly id: string;
  /** Its columns. */
  readonly fields: Fields;
}

/** Why an item has its place, and who was passed over for it. */
export interface TraceStep {
  /** The place, from 0, among those that are not left to chance. */
  readonly position: number;
  /** Who has it. */
  readonly item: string;
  /** `"value"`, `"pin"` or `"pool"`. */
  readonly reason: "value" | "pin" | "pool";
  /** Which pin or pool. */
  readonly rule?: string;
  /** Candidates of better score that did not get it, each with each kind of reason once. */
  readonly passed: readonly PassedOver[];
}

/** A candidate that was passed over. */
export interface PassedOver {
  /** Who. */
  readonly item: string;
  /** Why: `"floor"`, `"cap"`, `"quota"`, `"similar"`, `"calibration"`, `"rotation"` and so on. */
  readonly why: string;
  /** Which cap, quota, pool or pin. */
  readonly rule?: string;
  /** What it is too much like. */
  readonly similarTo?: string;
  /** Their cosine. */
  readonly similarity?: number;
}

/** A pin, pool or quota that could not be kept to. */
export interface Unmet {
  /** Which sort of rule. */
  readonly what: "pin" | "pool" | "quota";
  /** Its name; of a pin, the item. */
  readonly name: string;
  /** How many items are missing. */
  readonly missing: number;
}

/** What tells an interest from the rest of the catalog: a value of a column, or a decade of one. */
export type InterestLabel =
  | { readonly field: string; readonly value: string }
  /** The decade's first year. */
  | { readonly field: string; readonly decade: number };

/** An interest of a person: a part of the history whose items are alike. */
export interface Interest {
  /** The item of the history that stands for it best. */
  readonly medoid: string;
  /** How many items of the history it has. */
  readonly size: number;
  /** Its share of what the person likes, 0 to 1; those of all interests add up to 1. */
  readonly importance: number;
  /** What it is named by, strongest first: of the columns in `labels`. */
  readonly labels: readonly InterestLabel[];
}

/** A place between two ends. */
export interface Axis {
  /** Where the person stands, 0 to 1. */
  readonly value: number;
  /** The mean it was computed from. */
  readonly measured: number;
  /** How many items it was measured on. */
  readonly nItems: number;
}

/** What a history says of a taste. An axis is absent where too little is known for it. */
export interface TasteSummary {
  /** The interests, most important first. */
  readonly interests: readonly Interest[];
  /** The share of each content type, largest first; together 1. */
  readonly mix: readonly { readonly value: string; readonly share: number }[];
  /** 0 familiar, 1 exploring: how unlike the latest items are to those before. */
  readonly exploring?: Axis;
  /** 0 popular, 1 niche, within this catalog. */
  readonly niche?: Axis;
  /** 0 old, 1 new, within this catalog. */
  readonly new?: Axis;
  /** 0 loyal to one thing, 1 varied. */
  readonly varied?: Axis;
}
