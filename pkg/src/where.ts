/** A column of the catalog, by its name. */
export interface FieldRef {
  readonly field: string;
}

/** A value given with the call, in `params`. */
export interface ParamRef {
  readonly param: string;
}

/** What a parameter may stand for. */
export type ParamValue = string | number | boolean | readonly (string | number | boolean)[];

/** The parameters of one call, by name. */
export type Params = Readonly<Record<string, ParamValue>>;

/** A whole number of hours, days, weeks or years of 365 days: `"12h"`, `"30d"`, `"2w"`, `"1y"`. */
export type Duration = `${number}${"h" | "d" | "w" | "y"}`;

/** A number of each item. Of a {@link Where}, 1 where it holds and 0 where it does not. */
export type NumberOf =
  | number
  | FieldRef
  | ParamRef
  | { readonly "+": readonly [NumberOf, NumberOf, ...NumberOf[]] }
  | { readonly "-": NumberOf | readonly [NumberOf, NumberOf] }
  | { readonly "*": readonly [NumberOf, NumberOf, ...NumberOf[]] }
  | { readonly "/": readonly [NumberOf, NumberOf] }
  /** How many days before `now` the date of a column was. */
  | { readonly age: FieldRef }
  /** How often the person did something with the item, of one kind, within a time. */
  | { readonly count: readonly [kind?: string, within?: Duration | ParamRef] | string }
  | Where;

/** What a comparison has on a side. Strings are categories, or dates as `"1999-12-31"`. */
export type Operand =
  | NumberOf
  | string
  /** The day that was this long before `now`. */
  | { readonly age: Duration | ParamRef };

type Sides = readonly [Operand, Operand];
type List = readonly (string | number | ParamRef)[] | ParamRef;
type Tags = readonly [FieldRef, List];

/**
 * A condition on items, in the spelling for programs: an operation is an object with one member, its
 * name, and the list of its arguments. The spelling for people is a string,
 * `'genres has "jazz" and year >= $from'`; both say the same, and errors give positions in the
 * string or in the JSON text of the object.
 */
export type Where =
  | boolean
  /** A flag. */
  | FieldRef
  | ParamRef
  | { readonly and: readonly Where[] }
  | { readonly or: readonly Where[] }
  | { readonly not: Where }
  | { readonly "==": Sides }
  | { readonly "!=": Sides }
  | { readonly "<": Sides }
  | { readonly "<=": Sides }
  | { readonly ">": Sides }
  | { readonly ">=": Sides }
  /** Both ends included. */
  | { readonly between: readonly [Operand, Operand, Operand] }
  | { readonly in: readonly [Operand, List] }
  /** Has this tag. */
  | { readonly has: readonly [FieldRef, string | ParamRef] }
  /** Has one of these tags, or all of them. */
  | { readonly any: Tags }
  | { readonly all: Tags }
  /** The item has a value. */
  | { readonly exists: FieldRef }
  /** The person did something with the item: ever, or within a time. */
  | { readonly seen: readonly [] | Duration | ParamRef }
  /** Their last opinion of it is for it, or against it. */
  | { readonly liked: readonly [] | Duration | ParamRef }
  | { readonly disliked: readonly [] | Duration | ParamRef };
