import assert from "node:assert/strict";
import { test } from "node:test";
import { atEqualRecall, failures, frontier, recallOf } from "../lib/compare.mjs";

/** Ten times the time for a tenth of the misses. */
const CURVE = [
  { variant: "a", ms: 1, recall: 0.9 },
  { variant: "b", ms: 10, recall: 0.99 },
  { variant: "c", ms: 100, recall: 0.999 },
];

test("the time at a recall lies on the line between two settings", () => {
  const { ms, variant } = atEqualRecall(CURVE, 1 - 10 ** -1.5);
  assert.ok(Math.abs(ms - 10 ** 0.5) < 1e-9);
  assert.equal(variant, "a to b");
});

test("a setting that was measured is not interpolated", () => {
  const { ms, variant } = atEqualRecall(CURVE, 0.99);
  assert.ok(Math.abs(ms - 10) < 1e-9);
  assert.equal(variant, "b");
});

test("below the curve its first setting counts, above it nothing does", () => {
  assert.deepEqual(atEqualRecall(CURVE, 0.5), { ms: 1, variant: "a" });
  assert.equal(atEqualRecall(CURVE, 0.9999), undefined);
  assert.equal(atEqualRecall([], 0.5), undefined);
});

test("a recall of 1 is on the curve of what finds everything", () => {
  assert.equal(atEqualRecall([...CURVE, { variant: "d", ms: 200, recall: 1 }], 1).ms, 200);
});

test("a setting that is slower and finds less is left out", () => {
  const worse = { variant: "x", ms: 20, recall: 0.98 };
  assert.deepEqual(frontier([worse, ...CURVE]), CURVE);
});

test("rows that tie with the last true neighbour count, but none counts twice over", () => {
  assert.equal(recallOf([[1, 4]], [[1, 2, 4]], 2), 1);
  assert.equal(recallOf([[1, 9]], [[1, 2, 4]], 2), 0.5);
  assert.equal(recallOf([[1]], [[1]], 2), 1);
});

test("a run fails by our recall, whoever else was measured", () => {
  const results = [
    { peer: "engine", name: "ours", variant: "", recall: 0.96 },
    { peer: "native", name: "theirs", variant: "ef=10", recall: 0.5 },
    { peer: "stream", name: "bytes", variant: "" },
    { peer: "plain-loop", name: "loop", variant: "", recall: 1 },
  ];
  const sets = (recallFloor) => [{ name: "data", recallFloor, hosts: [{ host: "here", results }, { host: "there" }] }];
  assert.deepEqual(failures(sets(0.96), ["engine"]), []);
  assert.deepEqual(failures(sets(0.97), ["engine"]), ["data, here: recall of ours is 0.96, below 0.97"]);
  results[3].recall = 0.99;
  assert.match(failures(sets(0.5), ["engine"])[0], /the plain loop's recall is 0.99/);
});
