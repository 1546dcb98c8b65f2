import type {
  EngineContext,
  EngineEntry,
  EngineEvent,
  EnginePlaced,
  EngineSelector,
  InteractionKind,
} from "./contract.js";
import { NearfieldError } from "./errors.js";
import { finite, flag, moment, nonEmpty, oneOf, program, readOptions, wrong } from "./options.js";
import type { Check } from "./options.js";
import { given } from "./plain.js";

/** Says what the file is, so that any other JSON is refused with a clear message. */
const FORMAT = "nearfield-profile";
/** Raised when an older reader would misunderstand the file. */
const VERSION = 1;

/** Checks for one of the kinds of interaction. */
export const interactionKind: Check<InteractionKind> = oneOf<InteractionKind>(
  "play",
  "complete",
  "like",
  "dislike",
  "skip",
  "save",
  "purchase",
  "hide",
  "rating",
  "impression",
);

/** Whole numbers from 0 on: positions in one device's log. */
const sequenceNumber: Check<number> = (value, at) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw wrong(at, "a whole number from 0", value);
  }
  return value as number;
};

/**
 * Key-value pairs with texts as values, whatever they were given as. Fresh, with own members only, whatever
 * their names.
 */
export const context: Check<EngineContext> = (value, at) => {
  const pairs = Object.entries(object(value, at)).map(([key, found]: [string, unknown]) => {
    if (typeof found === "string") return [key, found];
    if (typeof found === "boolean" || Number.isFinite(found)) return [key, String(found)];
    throw wrong(`${at}: ${JSON.stringify(key)}`, "a string, a finite number, true or false", found);
  });
  return Object.fromEntries(pairs) as EngineContext;
};

/** The items of a slate that was shown; a propensity of `null` is none. */
export const placedItems: Check<EnginePlaced[]> = (value, at) => {
  if (!Array.isArray(value)) throw wrong(at, "an array of items", value);
  return value.map((one: unknown, index) => {
    const { item, position, propensity } = readOptions(`${at}[${index}]`, one, PLACED);
    if (item === undefined || position === undefined) throw wrong(`${at}[${index}]`, "item and position", one);
    return { item, position, ...given({ propensity: propensity ?? undefined }) };
  });
};

/** Any object; what is in it is checked by whoever asked. */
const object: Check<object> = (value, at) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(at, "an object", value);
  }
  return value;
};

/** A share above 0, or `null`. */
const propensity: Check<number | null> = (value, at) => {
  if (value !== null && !(typeof value === "number" && value > 0 && value <= 1)) {
    throw wrong(at, "a number above 0 and at most 1, or null", value);
  }
  return value;
};

const PLACED = { item: nonEmpty, position: sequenceNumber, propensity };
const ENTRY = { device: nonEmpty, sequence: sequenceNumber, at_ms: moment, event: object };
const INTERACTION = {
  type: nonEmpty,
  item: nonEmpty,
  kind: interactionKind,
  weight: finite,
  source: nonEmpty,
  context,
  taste: flag,
};
const SHOWN = { type: nonEmpty, slate: nonEmpty, policy: nonEmpty, context, items: placedItems };
const EXCLUDE = { type: nonEmpty, selector: object, forget_seen: flag };
const INCLUDE = { type: nonEmpty, selector: object };
/** Selectors as callers write them, and as the log has them. */
const SELECTOR = { source: nonEmpty, item: nonEmpty, where: program, from: moment, to: moment, context };
const KEPT_SELECTOR = { source: nonEmpty, item: nonEmpty, where: program, from_ms: moment, to_ms: moment, context };

/**
 * Reads which interactions an exclusion speaks about.
 *
 * @throws NearfieldError `E_ARG` when no field is given: an exclusion of everything is more often
 *   a slip than a wish, and `erase()` exists for the wish.
 */
export function readSelector(call: string, value: unknown): EngineSelector {
  const { from: from_ms, to: to_ms, ...same } = readOptions(call, value, SELECTOR);
  return selector(call, { ...same, ...given({ from_ms, to_ms }) }, value);
}

/** A selector that has a condition. */
function selector(call: string, read: EngineSelector, value: unknown): EngineSelector {
  const { context, ...others } = read;
  const pairs = context !== undefined && Object.keys(context).length > 0 ? { context } : {};
  const found = { ...others, ...pairs };
  if (Object.keys(found).length === 0) {
    throw wrong(`${call} selector`, "an object with source, item, where, from, to or context", value);
  }
  return found;
}

/** Writes a log as JSON text, one entry a line so that two exports can be compared by eye. */
export function writeProfile(entries: readonly EngineEntry[]): string {
  const lines = entries.map((entry) => JSON.stringify(entry)).join(",\n");
  return `{"format":"${FORMAT}","version":${VERSION},"entries":[\n${lines}\n]}\n`;
}

/**
 * Reads what {@link writeProfile} wrote.
 *
 * @returns Fresh entries that hold known fields only.
 * @throws NearfieldError `E_ARG` naming the first entry that is wrong; then nothing has been read.
 */
export function readProfile(json: string): EngineEntry[] {
  let file: unknown;
  try {
    file = JSON.parse(json);
  } catch (cause) {
    throw new NearfieldError("E_ARG", "profile import: not JSON text", {}, { cause });
  }
  const { format, version, entries } = object(file, "profile import") as Record<string, unknown>;
  if (format !== FORMAT || version !== VERSION) {
    throw new NearfieldError(
      "E_ARG",
      `profile import: not a ${FORMAT} file of version ${VERSION}`,
      { format, version },
    );
  }
  if (!Array.isArray(entries)) throw wrong("profile import: entries", "an array", entries);
  return entries.map((entry, index) => readEntry(`profile import: entries[${index}]`, entry));
}

function readEntry(at: string, value: unknown): EngineEntry {
  const entry = readOptions(at, value, ENTRY);
  const { device, sequence, at_ms, event } = entry;
  if (device === undefined || sequence === undefined || at_ms === undefined || event === undefined) {
    throw wrong(at, "device, sequence, at_ms and event", value);
  }
  return { device, sequence, at_ms, event: readEvent(`${at}.event`, event) };
}

function readEvent(at: string, value: object): EngineEvent {
  const type = (value as { type?: unknown }).type;
  if (type === "interaction") {
    const { item, kind, weight, source, context, taste } = readOptions(at, value, INTERACTION);
    if (item === undefined || kind === undefined) throw wrong(at, "item and kind", value);
    return { type, item, kind, ...given({ weight, source, context, taste }) };
  }
  if (type === "shown") {
    const { slate, policy, context, items } = readOptions(at, value, SHOWN);
    if (slate === undefined || items === undefined) throw wrong(at, "slate and items", value);
    return { type, slate, ...given({ policy, context }), items };
  }
  if (type === "exclude") {
    const { selector, forget_seen } = readOptions(at, value, EXCLUDE);
    return { type, selector: readKeptSelector(at, selector), ...given({ forget_seen }) };
  }
  if (type === "include") {
    return { type, selector: readKeptSelector(at, readOptions(at, value, INCLUDE).selector) };
  }
  throw wrong(`${at}.type`, '"interaction", "shown", "exclude" or "include"', type);
}

function readKeptSelector(at: string, value: unknown): EngineSelector {
  return selector(at, readOptions(at, value, KEPT_SELECTOR), value);
}
