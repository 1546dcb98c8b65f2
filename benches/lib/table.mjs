/**
 * What is promised of each data set beside what was measured. Runs everywhere.
 *
 * A data set's `targets` have these members:
 *   exhaustive  whether all items must have been scanned
 *   peer        key of what is compared with
 *   atMost      how many times that one's time ours may take, at equal recall
 *   bytes       what a search reads of the archive, per item, at most
 *   p99         how many times our p50 our p99 may be
 */
import { atEqualRecall, frontier } from "./compare.mjs";

/** Whose times are judged: the module, as peers are measured without what an application puts around. */
const JUDGED = "engine";
/** The same without relaxed instructions, and how many times the judged one's time it may take. */
const SIMD128 = { peer: "engine-simd128", atMost: 2 };
/** What a filter may cost, as a multiple of searching without one, and of scoring all that pass it. */
const FILTER = { ofUnfiltered: 3, whereFewPass: { below: 1, ofUnfiltered: 2, ofScoringAll: 1.5 } };
/**
 * The first answer after the last byte of so many items, in milliseconds; and from an ArrayBuffer, how many
 * copies of the archive to a new ArrayBuffer it may take beside.
 */
const FIRSTS = [
  { rows: 1_000_000, ms: 5, copies: 1.5 },
  { rows: 100_000, ms: 10 },
];

/**
 * Of variants that a row may mean, the first counts: a peer names first how it searches by itself.
 *
 * @param set - A data set of the record.
 * @returns Rows `{what, recall, recallFloor, ms, against, ratio, atMost, bytes, bytesAtMost}`: what a row
 *   does not speak of is `undefined`.
 */
export function table(set) {
  const host = set.hosts[0];
  const own = (host.results ?? []).filter(({ peer }) => peer === JUDGED);
  const bytes = set.indexes.find(({ peer }) => peer === JUDGED)?.bytesPerItem;
  if (own.length === 0) return firsts(set, host);
  return [
    ...(set.targets ?? []).flatMap((target) => searches(set, target, own, host.results, bytes)),
    ...(set.filters ?? []).map((below) => filtered(set, below, own)),
    ...simd128(set, own, host.results),
    ...firsts(set, host),
  ];
}

/** It answers the same, so its recall is the same. */
function simd128({ name }, own, others) {
  const result = others.find(({ peer, below }) => peer === SIMD128.peer && below === undefined);
  const relaxed = own.find(({ variant }) => variant === result?.variant);
  if (relaxed === undefined) return [];
  return [
    {
      what: `${name}: simd128 module`,
      recall: result.recall,
      recallFloor: relaxed.recall,
      ms: result.ms,
      against: "the relaxed module",
      ratio: result.ms / relaxed.ms,
      atMost: SIMD128.atMost,
    },
  ];
}

function searches(set, target, own, others, bytes) {
  const found = own.find(({ below, exhaustive }) => below === undefined && (exhaustive || !target.exhaustive));
  if (found === undefined) return [];
  const what = `${set.name}${target.exhaustive ? ", exhaustive" : ""}`;
  const theirs = others.filter(({ peer }) => peer === target.peer);
  if (theirs.length === 0) return [];
  const { ms, against } = compared(theirs, found.recall);
  const row = {
    what,
    recall: found.recall,
    recallFloor: set.recallFloor,
    ms: found.ms,
    against,
    ratio: found.ms / ms,
    atMost: target.atMost,
    bytes,
    bytesAtMost: target.bytes,
  };
  if (target.p99 === undefined) return [row];
  const tail = { what: `${what}: p99`, ms: found.p99, against: "its p50", ratio: found.p99 / found.p50 };
  return [row, { ...tail, atMost: target.p99 }];
}

/** A peer's time at a recall, and what it is the time of. */
function compared(theirs, recall) {
  const [{ name, recall: any }] = theirs;
  const told = ({ ms, variant }, note = "") => ({ ms, against: `${name} ${variant}`.trim() + note });
  // What finds nothing is a time to compare with at any recall.
  if (any === undefined) return told(theirs[0]);
  const equal = atEqualRecall(theirs, recall);
  if (equal !== undefined) return told(equal);
  // It never finds as much. Finding as much would take it longer still than the most it was measured at.
  const most = frontier(theirs).at(-1);
  return told(most, `, which finds ${most.recall.toFixed(4)}`);
}

function filtered(set, percent, own) {
  const plain = own.find(({ below }) => below === undefined);
  const found = own.find(({ below }) => below === percent);
  const scoringAll = own.find(({ below, exhaustive }) => exhaustive && below === percent);
  const few = FILTER.whereFewPass;
  const atMost =
    percent > few.below
      ? FILTER.ofUnfiltered
      : Math.max(few.ofUnfiltered, (few.ofScoringAll * scoringAll.ms) / plain.ms);
  return {
    what: `${set.name}: ${percent} % pass a filter`,
    recall: found.recall,
    recallFloor: plain.recall,
    ms: found.ms,
    against: "the same without",
    ratio: found.ms / plain.ms,
    atMost,
  };
}

function firsts({ name, rows }, { firsts: list = [] }) {
  const promised = FIRSTS.find((first) => first.rows === rows);
  const own = list.filter(({ peer }) => peer === JUDGED);
  if (promised === undefined || own.length === 0) return [];
  const { ms, copies } = promised;
  const afterLastByte = own.map(({ sinceLastByteMs, streamed }) => ({
    what: `${name}: first answer after the last byte${streamed ? " of a stream" : ", all at once"}`,
    ms: sinceLastByteMs,
    against: `${ms} ms`,
    ratio: sinceLastByteMs / ms,
  }));
  const fromBuffer = own
    .filter(({ streamed }) => copies !== undefined && !streamed)
    .map(({ sinceInstantiatedMs, copyMs }) => ({
      what: `${name}: first answer from an ArrayBuffer`,
      ms: sinceInstantiatedMs,
      against: `${copies} copies and ${ms} ms`,
      ratio: sinceInstantiatedMs / (copies * copyMs + ms),
    }));
  return [...afterLastByte, ...fromBuffer].map((row) => ({ ...row, atMost: 1 }));
}

/** Whether everything that a row speaks of is as promised. */
export const met = ({ recall, recallFloor, ratio, atMost, bytes, bytesAtMost }) =>
  !(recall < recallFloor) && ratio <= atMost && !(bytes > bytesAtMost);
