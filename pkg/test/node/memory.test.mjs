/** Wasm memory never shrinks, so what grows with use would end in a page that dies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { idOf, NOW, openFilms } from "../support/archive.mjs";

/** Notes the memory of every instance made from now on. */
function watchMemories(t) {
  const memories = [];
  const instantiate = WebAssembly.instantiate;
  t.mock.method(WebAssembly, "instantiate", async (...args) => {
    const made = await instantiate(...args);
    // Node has wasm of its own (its HTTP parser).
    if (made.exports?.__wbg_engine_free !== undefined) memories.push(made.exports.memory);
    return made;
  });
  return memories;
}

test("20,000 queries leave the memory where it was", async (t) => {
  const memories = watchMemories(t);
  const nf = await openFilms(t);
  const [memory] = memories.splice(0);
  assert.ok(memory.buffer.byteLength > nf.info.totalBytes, "this is the archive's memory");
  const likes = ["Alien", "Casablanca", "Toy Story"].map((title) => idOf(nf, title));
  for (const item of likes) nf.profile.record({ item, kind: "like", at: NOW });
  // [how often among 100, query]: the slow ones seldom, for the time's sake.
  const mix = [
    [40, () => nf.recommend({ k: 20, explain: 2, fields: ["title", "cast"], now: NOW })],
    [20, () => nf.similar(likes[0], { k: 50, where: "year >= 1990", exclude: likes })],
    [3, () => nf.similar(likes[1], { where: 'genres has "Drama"' })],
    [15, () => nf.search("alien", { fields: ["title"] })],
    [1, () => nf.search("casablanka")],
    [10, () => nf.item(likes[1])],
    [1, () => nf.facets("genres", { where: "year >= 1990" })],
    // Refusals allocate their messages.
    [5, () => assert.throws(() => nf.recommend({ where: "yeer >= 1990" }))],
    [5, () => assert.throws(() => nf.similar("no such film"))],
  ];
  const queries = mix.flatMap(([times, query]) => Array(times).fill(query));
  assert.equal(queries.length, 100);
  for (const query of queries) query();
  const before = memory.buffer.byteLength;
  for (let i = 0; i < 20_000; i += 1) queries[i % queries.length]();
  assert.equal(memory.buffer.byteLength, before);
  assert.equal(memories.length, 0, "no instance had to be replaced");
});

test("recording costs what the log costs, and erasing gives it back", async (t) => {
  const memories = watchMemories(t);
  const nf = await openFilms(t);
  const [memory] = memories;
  const item = idOf(nf, "Alien");
  const live = async () => {
    for (let i = 0; i < 2000; i += 1) {
      nf.profile.record({ item, kind: i % 2 === 0 ? "like" : "dislike", at: NOW + i });
    }
    nf.recommend({ now: NOW });
    await nf.profile.erase();
  };
  // Warm-up: the heap finds places for a log of this length.
  for (let i = 0; i < 5; i += 1) await live();
  const before = memory.buffer.byteLength;
  for (let i = 0; i < 15; i += 1) await live();
  assert.equal(memory.buffer.byteLength, before);
});
