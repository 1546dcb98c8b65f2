import type { InteractionKind } from "./contract.js";
import type { Where } from "./where.js";

/**
 * What else was so at a moment: hour, weekday, device, activity, anything. At most 16 pairs; keys and
 * values have 1 to 1024 bytes. Numbers and flags are kept as text: `20` and `"20"` are the same.
 */
export type Context = Readonly<Record<string, string | number | boolean>>;

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
  /**
   * When, in milliseconds since 1970 or as a `Date`, up to the year 9999. What lies in the future is kept
   * (clocks differ between devices) and counts like the present. Default: now.
   */
  readonly at?: number | Date;
  /** Where it came from (a playlist, a person at the screen), for later exclusion. Default: none. */
  readonly source?: string;
  /** What else was so, for later exclusion and for answers that depend on it. Default: nothing. */
  readonly context?: Context;
  /** `false`: count the item as seen but never as taste. Default: `true`. */
  readonly taste?: boolean;
}

/** One item of a slate that was shown. */
export interface Placed {
  /** The item's id. */
  readonly item: string;
  /** Its place in the slate, from 0. */
  readonly position: number;
  /**
   * The probability with which the policy put this item here, above 0 and at most 1. `null` or absent
   * where the slot did not explore: nothing can be estimated from such a slot.
   */
  readonly propensity?: number | null;
}

/** A slate that was shown. Its items are impressions: they carry no taste and make nothing "seen". */
export interface Shown {
  /** The slate's id, unique among this profile's slates. */
  readonly slate: string;
  /** The name of the policy that composed it. Default: none. */
  readonly policy?: string;
  /** What it was composed for. Default: nothing. */
  readonly context?: Context;
  /** What was shown, at most 1000 items. */
  readonly items: readonly Placed[];
  /** When, in milliseconds since 1970 or as a `Date`. Default: now. */
  readonly at?: number | Date;
}

/**
 * Which interactions to exclude or include: those that match every field given, at least one. Two
 * selectors are the same when they have the same fields; programs are compared by what they say,
 * whether they were written as text or as an object.
 */
export interface Selector {
  /** Interactions recorded with this source. */
  readonly source?: string;
  /** Interactions with this item. */
  readonly item?: string;
  /**
   * Interactions with items for which this holds, such as `'genres has "Horror"'`. About columns alone:
   * no ages, no history, no parameters.
   */
  readonly where?: string | Where;
  /** Interactions at this moment or later, in milliseconds since 1970 or as a `Date`. */
  readonly from?: number | Date;
  /** Interactions before this moment, which is itself outside: ranges that meet do not overlap. */
  readonly to?: number | Date;
  /** Interactions whose context has all of these pairs. */
  readonly context?: Context;
}

/** Options of `exclude`. */
export interface ExcludeOptions {
  /** Also forget that the items were seen, so that they may be recommended. Default: `false`. */
  readonly forgetSeen?: boolean;
}

/** What a change of the profile gives back; the change itself is already in effect. */
export interface Recorded {
  /**
   * Whether anything changed. `false` while {@link Profile.recording} is off, and for what is older
   * than `maxAge`; `durable` resolves then, since there is nothing to keep.
   */
  readonly recorded: boolean;
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
  /** Entries left out because they are older than `maxAge`. */
  readonly expired: number;
}

/** What a compaction did. */
export interface Compacted {
  /** How many entries were dropped. */
  readonly dropped: number;
  /** Resolves once they are deleted from storage too; rejects with `E_STORE` when it refused. */
  readonly durable: Promise<void>;
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
        readonly context?: Readonly<Record<string, string>>;
        readonly taste?: boolean;
      }
    | {
        readonly type: "shown";
        readonly slate: string;
        readonly policy?: string;
        readonly context?: Readonly<Record<string, string>>;
        readonly items: readonly Placed[];
      }
    | { readonly type: "exclude"; readonly selector: Selector; readonly forgetSeen?: boolean }
    | { readonly type: "include"; readonly selector: Selector };
}
