import type { Recall } from "./contract.js";
import { NearfieldError } from "./errors.js";
import { nearest } from "./nearest.js";

/** Turns an untyped value into a typed one, or throws `E_ARG` naming the option. */
export type Check<T> = (value: unknown, name: string) => T;

/** The options of one call: each name with its check. */
export type Schema = Readonly<Record<string, Check<unknown>>>;

/** What a schema reads: every option absent or of the type its check gives. */
export type Read<S extends Schema> = { readonly [K in keyof S]?: ReturnType<S[K]> };

/** Names a value's type the way a person would. */
function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** An `E_ARG` for a value that is not what the argument takes. */
export function wrong(name: string, expected: string, found: unknown): NearfieldError {
  return new NearfieldError("E_ARG", `${name}: expected ${expected}, found ${describe(found)}`, {
    argument: name,
    expected,
    found: describe(found),
  });
}

/**
 * Reads an options object. Only its own properties count, so nothing inherited (or planted on
 * `Object.prototype`) can change a call; a key that no option has is an error rather than silence,
 * because a misspelt `exlude` would otherwise recommend what the caller ruled out.
 *
 * @param call - The call's name, for messages.
 * @param options - What the caller passed; `undefined` means no options.
 * @param schema - The options of this call.
 * @returns A fresh object without prototype that holds only options given and not `undefined`.
 * @throws NearfieldError `E_ARG`.
 */
export function readOptions<S extends Schema>(call: string, options: unknown, schema: S): Read<S> {
  const read: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (options === undefined) return read as Read<S>;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw wrong(`${call} options`, "an object", options);
  }
  for (const key of Object.keys(options)) {
    const check = Object.hasOwn(schema, key) ? schema[key] : undefined;
    if (check === undefined) throw unknownName(call, "option", key, Object.keys(schema));
    const value = (options as Record<string, unknown>)[key];
    if (value !== undefined) read[key] = check(value, `${call} option ${key}`);
  }
  return read as Read<S>;
}

/** An `E_ARG` for a name that does not exist, with the nearest one that does. */
export function unknownName(
  call: string,
  what: string,
  found: string,
  known: readonly string[],
): NearfieldError {
  const meant = nearest(found, known);
  const hint = meant === undefined ? `known: ${known.join(", ")}` : `did you mean ${meant}?`;
  return new NearfieldError("E_ARG", `${call}: unknown ${what} ${JSON.stringify(found)}; ${hint}`, {
    [what]: found,
    nearest: meant,
    known,
  });
}

/** Any string. */
export const text: Check<string> = (value, name) => {
  if (typeof value !== "string") throw wrong(name, "a string", value);
  return value;
};

/** A string with at least one character. */
export const nonEmpty: Check<string> = (value, at) => {
  if (typeof value !== "string" || value === "") throw wrong(at, "a non-empty string", value);
  return value;
};

/** `true` or `false`. */
export const flag: Check<boolean> = (value, at) => {
  if (typeof value !== "boolean") throw wrong(at, "true or false", value);
  return value;
};

/** A number that is neither infinite nor NaN. */
export const finite: Check<number> = (value, at) => {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(at, "a finite number", value);
  return value;
};

/** A number of days, more than none. */
export const days: Check<number> = (value, at) => {
  if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value)) {
    throw wrong(at, "a number of days above 0", value);
  }
  return value;
};

/** A whole number of results, 1 to 10,000, which is also the engine's limit. */
export const count: Check<number> = (value, at) => {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 10_000) {
    throw wrong(at, "a whole number from 1 to 10000", value);
  }
  return value as number;
};

/** Like {@link count}, but zero is allowed. */
export const countOrZero: Check<number> = (value, at) => (value === 0 ? 0 : count(value, at));

/** How thorough a search is: a share strictly between 0 and 1, or `"exhaustive"`. */
export const recall: Check<Recall> = (value, at) => {
  const isShare = typeof value === "number" && value > 0 && value < 1;
  if (!isShare && value !== "exhaustive") {
    throw wrong(at, 'a number between 0 and 1, both excluded, or "exhaustive"', value);
  }
  return value;
};

/** A moment as milliseconds since 1970-01-01 UTC, from a number or a `Date`. */
export const moment: Check<number> = (value, at) => {
  const ms = value instanceof Date ? value.getTime() : value;
  if (typeof ms !== "number" || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15) {
    throw wrong(at, "milliseconds since 1970 or a valid Date", value);
  }
  return Math.trunc(ms);
};

/** An array of strings, copied, so that a later change by the caller changes nothing here. */
export const texts: Check<readonly string[]> = (value, at) => {
  if (!Array.isArray(value)) throw wrong(at, "an array of strings", value);
  return value.map((entry, index) => text(entry, `${at}[${index}]`));
};

/**
 * A value that JSON can hold, copied, so that a later change by the caller changes nothing here. What JSON
 * would turn into `null` or drop (NaN, a function, a date) is refused with its path: an option that is
 * silently gone would be a default that nobody chose.
 */
export const data: Check<unknown> = (value, at) => shallow(() => copied(value, at), value, at);

/** An object of numbers, some of which may be `null`. */
export const numbersOrNull: Check<unknown> = (value, at) => {
  const entries = Object.entries(plainObject(value, at)).filter(([, found]) => found !== undefined);
  return Object.fromEntries(entries.map(([key, found]) => [key, found === null ? null : finite(found, `${at}.${key}`)]));
};

/** An object as JSON text. */
export const json: Check<string> = (value, at) => JSON.stringify(data(plainObject(value, at), at));

/** A condition as the engine reads it: text as it is, an object (or `true`) as JSON text. */
export const program: Check<string> = (value, at) => {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  return json(value, at);
};

function copied(value: unknown, at: string): unknown {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return finite(value, at);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (let i = 0; i < value.length; i += 1) list.push(copied(value[i], `${at}[${i}]`));
    return list;
  }
  const members: [string, unknown][] = [];
  for (const [key, found] of Object.entries(plainObject(value, at, "a value that JSON can hold"))) {
    if (found !== undefined) members.push([key, copied(found, `${at}.${key}`)]);
  }
  // Own members whatever their names, `__proto__` included.
  return Object.fromEntries(members);
}

/** An object that is nothing else than its members: no list, date or map. */
export function plainObject(value: unknown, at: string, expected = "an object"): object {
  if (Object.prototype.toString.call(value) !== "[object Object]") throw wrong(at, expected, value);
  return value as object;
}

/** Runs `copy`; a stack that ends says that the value has no end, or hardly one. */
function shallow<T>(copy: () => T, value: unknown, at: string): T {
  try {
    return copy();
  } catch (error) {
    if (error instanceof RangeError) throw wrong(at, "an object that is not nested without end", value);
    throw error;
  }
}

/** Anything; for values that are checked where they are used. */
export const anything: Check<unknown> = (value) => value;

/** A check for one of a few strings. */
export function oneOf<T extends string>(...allowed: readonly T[]): Check<T> {
  return (value, at) => {
    if (!allowed.includes(value as T)) throw wrong(at, allowed.map((a) => `"${a}"`).join(" or "), value);
    return value as T;
  };
}
