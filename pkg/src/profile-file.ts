import type { EngineEntry, EngineEvent, EngineSelector, InteractionKind } from "./contract.js";
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

/** Any object; what is in it is checked by whoever asked. */
const object: Check<object> = (value, at) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(at, "an object", value);
  }
  return value;
};

const ENTRY = { device: nonEmpty, sequence: sequenceNumber, at_ms: moment, event: object };
const INTERACTION = {
  type: nonEmpty,
  item: nonEmpty,
  kind: interactionKind,
  weight: finite,
  source: nonEmpty,
  taste: flag,
};
const EXCLUDE = { type: nonEmpty, selector: object, forget_seen: flag };
const INCLUDE = { type: nonEmpty, selector: object };

/**
 * Reads which interactions an exclusion speaks about.
 *
 * @throws NearfieldError `E_ARG` when no field is given: an exclusion of everything is more often
 *   a slip than a wish, and `erase()` exists for the wish.
 */
export function readSelector(call: string, value: unknown): EngineSelector {
  const selector = readOptions(call, value, { source: nonEmpty, item: nonEmpty, where: program });
  if (Object.keys(selector).length === 0) {
    throw wrong(`${call} selector`, "an object with source, item or where", value);
  }
  return { ...selector };
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
    const { item, kind, weight, source, taste } = readOptions(at, value, INTERACTION);
    if (item === undefined || kind === undefined) throw wrong(at, "item and kind", value);
    return { type, item, kind, ...given({ weight, source, taste }) };
  }
  if (type === "exclude") {
    const { selector, forget_seen } = readOptions(at, value, EXCLUDE);
    return { type, selector: readSelector(at, selector), ...given({ forget_seen }) };
  }
  if (type === "include") {
    return { type, selector: readSelector(at, readOptions(at, value, INCLUDE).selector) };
  }
  throw wrong(`${at}.type`, '"interaction", "exclude" or "include"', type);
}
