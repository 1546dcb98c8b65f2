import assert from "node:assert/strict";
import { test } from "node:test";
import { met, table } from "../lib/table.mjs";

const own = { peer: "engine", name: "engine", variant: "", recall: 0.99, exhaustive: true };
const set = (more) => ({
  name: "set",
  rows: 100,
  recallFloor: 0.98,
  indexes: [{ peer: "engine", bytesPerItem: 40 }],
  ...more,
});

test("a row is met by recall, ratio and bytes together", () => {
  const loop = { peer: "plain-loop", name: "loop", variant: "", ms: 10, recall: 1 };
  const hosts = [{ results: [{ ...own, ms: 4 }, loop] }];
  const rows = (target) => table(set({ hosts, targets: [{ peer: "plain-loop", atMost: 0.5, bytes: 40, ...target }] }));
  assert.equal(rows()[0].ratio, 0.4);
  assert.ok(met(rows()[0]));
  assert.ok(!met(rows({ atMost: 0.3 })[0]));
  assert.ok(!met(rows({ bytes: 39 })[0]));
});

test("a peer that finds less is compared with at the most that it finds", () => {
  const graph = (ms, recall) => ({ peer: "hnswlib", name: "hnswlib", variant: `ef=${ms}`, ms, recall });
  const hosts = [{ results: [{ ...own, ms: 4 }, graph(1, 0.8), graph(8, 0.9)] }];
  const [row] = table(set({ hosts, targets: [{ peer: "hnswlib", atMost: 1, bytes: 40 }] }));
  assert.equal(row.ratio, 0.5);
  assert.equal(row.against, "hnswlib ef=8, which finds 0.9000");
});

test("a yardstick is compared with whatever the recall", () => {
  const stream = { peer: "stream", name: "reading", variant: "", ms: 2, p50: 2 };
  const hosts = [{ results: [{ ...own, ms: 4 }, stream] }];
  const targets = [{ peer: "stream", exhaustive: true, atMost: 2, bytes: 40 }];
  assert.equal(table(set({ hosts, targets }))[0].ratio, 2);
});

test("where few pass a filter, scoring all of them is a limit too", () => {
  const filtered = (below, ms) => ({ ...own, below, ms });
  const hosts = [{ results: [{ ...own, ms: 1 }, filtered(1, 2), filtered(10, 2.5)] }];
  const [few, more] = table(set({ hosts, filters: [1, 10] }));
  assert.equal(few.atMost, 3);
  assert.equal(few.ratio, 2);
  assert.equal(more.atMost, 3);
});

test("the module without relaxed instructions has to find the same", () => {
  const other = (recall) => ({ ...own, peer: "engine-simd128", ms: 1.5, recall });
  const [same] = table(set({ hosts: [{ results: [{ ...own, ms: 1 }, other(0.99)] }] }));
  assert.ok(met(same));
  const [less] = table(set({ hosts: [{ results: [{ ...own, ms: 1 }, other(0.98)] }] }));
  assert.ok(!met(less));
});
