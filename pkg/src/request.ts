import {
  count,
  data,
  json,
  moment,
  nonEmpty,
  numbersOrNull,
  oneOf,
  plainObject,
  program,
  readOptions,
  texts,
} from "./options.js";
import type { Check } from "./options.js";

/**
 * The options of each call. What a value may be is the engine's to say, which reads the same requests
 * natively and in scenarios; here is only what text cannot carry: dates, and what is no JSON at all.
 */
export const FILTER = { where: program, params: json, now: moment };
export const LIST = { ...FILTER, k: data, exclude: data, fields: texts };
export const SIMILAR = { ...LIST, recall: data };
export const FACETS = { ...FILTER, limit: count };

/** What of the past counts, and how. */
const PAST = { context: data, focus: data, windows: data, halflives: numbersOrNull };
const SEEN = { seen: oneOf("exclude", "include") };
/** What is the caller's alone to say. */
const OWN = { scenario: nonEmpty, now: moment };

const SCENARIO = {
  where: program,
  params: json,
  k: data,
  exclude: data,
  recall: data,
  ...PAST,
  ...SEEN,
  explain: data,
  seed: data,
  interests: data,
  labels: data,
  weights: data,
  freshness: data,
  boosts: data,
  floor: data,
  diversity: data,
  calibration: data,
  caps: data,
  quotas: data,
  pins: data,
  pools: data,
  rotation: data,
  explore: data,
  candidates: data,
};
export const RECOMMEND = { ...SCENARIO, ...OWN, fields: texts, parts: data, trace: data };
const { seen: _, ...RANK } = RECOMMEND;
export { RANK };
export const DISCOVER = { ...RANK, like: texts, dislike: texts };
export const SUMMARY = { ...OWN, ...PAST, labels: data, mix: nonEmpty, age: nonEmpty };
export const ONBOARDING = { ...LIST, ...SEEN, scenario: nonEmpty, seed: data };

/** Scenarios by name, as the engine reads them. */
export const scenarios: Check<string> = (value, at) => {
  const named = Object.entries(plainObject(value, at));
  return requestText(
    Object.fromEntries(named.map(([name, scenario]) => [name, readOptions(`${at}.${name}`, scenario, SCENARIO)])),
  );
};

/** The members of a request, with the moment it is for. */
export type Request = Readonly<Record<string, unknown>> & { readonly now: number };

/** A request from the options that the engine reads. Without a moment of its own it is for the present. */
export function requestOf(read: Readonly<Record<string, unknown>> & { readonly now?: number }): Request {
  return { ...read, now: read.now ?? Date.now() };
}

/**
 * What a request for neighbours of a vector says, if it says no more than the engine's shortest call carries.
 * Whatever else it says, or says wrongly, is the engine's to read.
 */
export function plainOf(read: Readonly<Record<string, unknown>>): { k: number; recall: number } | undefined {
  const { k = 10, recall = NaN, ...rest } = read;
  const share = recall === "exhaustive" ? Infinity : Object.is(recall, read["recall"]) ? within(recall, 0, 1) : NaN;
  const n = Number.isInteger(k) ? within(k, 0, 10_001) : undefined;
  return n === undefined || share === undefined || Object.keys(rest).length > 0 ? undefined : { k: n, recall: share };
}

/** A number between two others. */
function within(x: unknown, low: number, high: number): number | undefined {
  return typeof x === "number" && x > low && x < high ? x : undefined;
}

/**
 * A request as the engine reads it. Halves of surrogate pairs, which no UTF-8 can hold, become U+FFFD, as in
 * every other string that goes to the engine.
 */
export function requestText(request: object): string {
  return JSON.stringify(request).replace(/\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|.)/g, (found, escape: string) =>
    escape.length > 1 ? "\ufffd" : found,
  );
}
