/**
 * The engine stopping in the middle of a call. No request is known that makes it stop, so the test
 * breaks an export of the real module from outside: the call reaches wasm's door and traps there.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "nearfield";
import { archivePath, failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";
import { breakable } from "../support/breakable.mjs";

test("a trap costs nothing: new instance, log replayed, same answer", async (t) => {
  const armed = breakable(t, "engine_recommend");
  const nf = await openFilms(t);
  nf.profile.record({ item: idOf(nf, "Alien"), kind: "like", at: NOW });
  nf.profile.exclude({ source: "children" });
  const before = nf.recommend({ now: NOW, explain: 2 });
  const log = nf.profile.export();
  armed.times = 1;
  assert.deepEqual(nf.recommend({ now: NOW, explain: 2 }), before);
  assert.equal(armed.hits, 1);
  assert.equal(nf.profile.export(), log);
});

test("a call that traps twice is E_ENGINE, and other calls go on", async (t) => {
  const armed = breakable(t, "engine_similar");
  const nf = await openFilms(t);
  const id = idOf(nf, "Alien");
  nf.profile.record({ item: id, kind: "like", at: NOW });
  const before = [nf.similar(id), nf.recommend({ now: NOW })];
  armed.times = 2;
  assert.throws(
    () => nf.similar(id),
    failsWith("E_ENGINE", (error) => error.cause instanceof WebAssembly.RuntimeError),
  );
  assert.deepEqual([nf.similar(id), nf.recommend({ now: NOW })], before);
});

test("an interaction whose recording trapped is recorded once", async (t) => {
  const armed = breakable(t, "engine_append");
  const nf = await openFilms(t);
  armed.times = 1;
  nf.profile.record({ item: idOf(nf, "Alien"), kind: "like", at: NOW });
  assert.equal(nf.profile.entries().length, 1);
  // Not on the log's replay in between.
  armed.when = (engine, { event }) => event.item === "x";
  armed.times = 2;
  assert.throws(() => nf.profile.record({ item: "x", kind: "like", at: NOW }), failsWith("E_ENGINE"));
  assert.equal(nf.profile.entries().length, 1);
  nf.profile.record({ item: "x", kind: "like", at: NOW });
  assert.deepEqual(nf.profile.entries().map((entry) => entry.sequence), [1, 2]);
});

test("when no new instance can be had, every call says E_NOT_READY and open works again", async (t) => {
  const armed = breakable(t, "engine_arrive");
  const recommend = breakable(t, "engine_recommend");
  const nf = await openFilms(t);
  recommend.times = 1;
  armed.times = 1;
  assert.throws(() => nf.recommend({ now: NOW }), failsWith("E_ENGINE"));
  assert.throws(() => nf.recommend({ now: NOW }), failsWith("E_NOT_READY"));
  const again = await open(archivePath, { profile: false });
  assert.equal(ids(again.recommend({ now: NOW })).length, 10);
  again.dispose();
});

test("a trap while opening is E_ENGINE", async (t) => {
  const armed = breakable(t, "engine_arrive");
  armed.times = 1;
  await assert.rejects(
    open(archivePath, { profile: false }),
    failsWith("E_ENGINE", (error) => error.cause instanceof WebAssembly.RuntimeError),
  );
  assert.equal(armed.hits, 1);
});
