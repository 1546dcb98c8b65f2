import type { InteractionKind, Recall } from "./contract.js";
import type { Context } from "./profile-types.js";
import type { Params, Where } from "./where.js";

/** A stretch of the past that a part of the taste comes from. */
export interface TasteWindow {
  /** Its name, for errors. */
  readonly name?: string;
  /** How far back it reaches, in days, at least an hour. Default: without end. */
  readonly days?: number;
  /** Its weight among the windows that have a history, 0 to 1e6. Default: 1. */
  readonly weight?: number;
}

/** What is added to the scores of some items. */
export type Boost = {
  /** The name of its part in `parts`. Default: the condition or formula. */
  readonly name?: string;
  /** What is added, or what the formula is multiplied by, within ±1e6. A taste score is about 1 for what is sure to please. */
  readonly weight: number;
} & (
  | {
      /** The items it is added to. */
      readonly where: string | Where;
    }
  | {
      /** A formula over columns, `"margin / 10"`, of each item; an item without a value gets nothing. */
      readonly value: string;
    }
);

/** How unlike each other the items of a slate are to be. */
export interface Diversity {
  /**
   * `"mmr"` looks at the most similar item shown before, `"dpp"` at all of them together.
   * Default: `"mmr"`.
   */
  readonly method?: "mmr" | "dpp";
  /** From 0, where scores alone decide, to 1, where likeness alone does. */
  readonly strength: number;
}

/** Which mix of values a slate is to have. */
export interface Calibration {
  /** A column of categories, tags, flags, whole numbers or dates. */
  readonly field: string;
  /** From 0, where scores alone decide, to 1, where the mix alone does. */
  readonly strength: number;
  /**
   * `"history"`: as the person's history has it. `"bandit"`: as learned from answers to the slates that
   * `nf.shown` recorded, for this `context` (a flag or category of at most 64 values). An object: these
   * shares, in any unit. Default: `"history"`.
   */
  readonly target?: "history" | "bandit" | Readonly<Record<string, number>>;
}

/** How much of a slate a group of items may and must take. */
export interface Quota {
  /** The name in `trace`, `unmet` and `shortfall`. Default: the condition. */
  readonly name?: string;
  /** The group. */
  readonly where: string | Where;
  /** Its least share of the slate, 0 to 1, rounded up to whole items. Default: 0. */
  readonly least?: number;
  /** Its greatest share, 0 to 1, rounded down. Default: 1. */
  readonly most?: number;
}

/** Hand-picked items of which some are to come back, the best for this person first. */
export interface EditorialPool {
  /** The name in `trace`, `unmet` and `shortfall`. */
  readonly name: string;
  /** The ids. */
  readonly items: readonly string[];
  /** Places that belong to them, from 0. Default: none. */
  readonly positions?: readonly number[];
  /** How many of them are to come at least, wherever they stand. Default: 0. */
  readonly least?: number;
}

/** Places that are left to chance, so that something is learned. */
export interface Explore {
  /** The places, from 0. */
  readonly slots: readonly number[];
  /**
   * `"softmax"`: by relevance, without replacement; propensities are exact. `"thompson"`: the best of a
   * draw from what is believed of the taste; propensities are estimated, or absent where they are too
   * small to estimate. Default: `"softmax"`.
   */
  readonly method?: "softmax" | "thompson";
  /**
   * Softmax: the difference of relevance (0 to 1) that makes an item e times as probable. Thompson:
   * standard deviations of the belief. Positive. Default: 0.1, and 1 for Thompson.
   */
  readonly temperature?: number;
  /** How many candidates are drawn from, 2 to 1,000. Default: 50. */
  readonly candidates?: number;
}

/** What a scenario may set: everything about a slate but what it is to be told about. */
export interface SlateOptions {
  /** Results asked for, 1 to 10,000. Default: 10. Fewer come when fewer qualify. */
  readonly k?: number;
  /** Keep only items for which this holds. Default: all items. */
  readonly where?: string | Where;
  /** Values of the parameters that conditions of this request name. Default: none. */
  readonly params?: Params;
  /** Drop these item ids. Unknown ids drop nothing. Default: none. */
  readonly exclude?: readonly string[];
  /** Whether items that the profile knows may come back. Default: `"exclude"`. */
  readonly seen?: "exclude" | "include";
  /** How many reasons each item carries in `because`, 0 to 1,000, strongest first. Default: 0, no `because`. */
  readonly explain?: number;
  /** Seed of everything that is drawn, a whole number from 0 to 2^53. Default: 0. */
  readonly seed?: number;
  /** What is known of the situation. Default: nothing. */
  readonly context?: Context;
  /**
   * How much less interactions count that were recorded in another context, 0 to 1: 1 leaves them out.
   * Default: 0.
   */
  readonly focus?: number;
  /** Windows of the past whose tastes are mixed: this session, a month, all. Default: all of the past. */
  readonly windows?: readonly TasteWindow[];
  /**
   * Days after which an interaction counts half, by kind, instead of the engine's (play 90, skip 30,
   * complete and save 180, purchase 365; statements do not fade); `null`: never.
   */
  readonly halflives?: Readonly<Partial<Record<InteractionKind, number | null>>>;
  /**
   * How many interests of the person are searched for one by one, 0 to 8, each with its fair share of
   * the slate; `"auto"`: as many as the history shows. Default: 0, one taste for everything.
   */
  readonly interests?: number | "auto";
  /** Columns of categories or tags that interests are named by, or of years by decade. Default: none. */
  readonly labels?: readonly string[];
  /** What taste (default 1) and popularity (a term from 0 to 1; default 0 once a taste is known) count. */
  readonly weights?: { readonly taste?: number; readonly prior?: number };
  /** What newness is worth: `weight * 2^(-age / days)`, by a column of dates. Default: nothing. */
  readonly freshness?: { readonly field: string; readonly days: number; readonly weight: number };
  /** What is added to scores: promotions, business objectives. Default: nothing. */
  readonly boosts?: readonly Boost[];
  /** The least relevance, from 0 (the worst candidate) to 1 (the best). Default: 0. */
  readonly floor?: number;
  /** How unlike each other the items are to be. Default: not at all. */
  readonly diversity?: Diversity;
  /** Which mix of values the items are to have. Default: any. */
  readonly calibration?: Calibration;
  /** Most items with the same value of a column: `{ artist: 2 }`; 1 removes duplicates. Default: none. */
  readonly caps?: Readonly<Record<string, number>>;
  /** Least and greatest shares of groups. Default: none. */
  readonly quotas?: readonly Quota[];
  /** Items with a place, from 0. Default: none. */
  readonly pins?: readonly { readonly item: string; readonly position: number }[];
  /** Hand-picked items. Default: none. */
  readonly pools?: readonly EditorialPool[];
  /**
   * Items that `nf.shown` recorded lose `rate` (0 to 1) of their relevance, and have it back after so
   * many hours. Default: none.
   */
  readonly rotation?: { readonly rate: number; readonly hours: number };
  /** Places that are left to chance. Default: none. */
  readonly explore?: Explore;
  /** How many candidates a slate is composed from, up to 10,000. Default: ten times `k`, at least 200. */
  readonly candidates?: number;
}

/**
 * Named defaults of requests, such as a home page's or a radio's: `open({ scenarios })` sets them, an
 * archive may bring its own, and `scenario` in a request names one. What the request says itself counts;
 * members are replaced, not mixed.
 */
export interface Scenario extends SlateOptions {
  /** How thorough the search is; see {@link SimilarOptions.recall}. */
  readonly recall?: Recall;
}
