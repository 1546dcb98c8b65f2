/** Arguments as strangers write them: misspelt, of the wrong type, or with a hostile prototype. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "nearfield";
import { archivePath, failsWith, fixture, ids, NOW, openFilms } from "../support/archive.mjs";

test("an unknown option is E_ARG naming it and the nearest valid one", async (t) => {
  const nf = await openFilms(t);
  const calls = [
    [() => nf.recommend({ exlude: [] }), "exlude", "exclude"],
    [() => nf.recommend({ Fields: [] }), "Fields", "fields"],
    [() => nf.similar("x", { limit: 3 }), "limit", undefined],
    [() => nf.search("x", { feilds: [] }), "feilds", "fields"],
    [() => nf.facets("genres", { were: "" }), "were", "where"],
    [() => nf.profile.record({ item: "x", kind: "like", wieght: 2 }), "wieght", "weight"],
    [() => nf.profile.exclude({ sorce: "x" }), "sorce", "source"],
    [() => nf.profile.exclude({ item: "x" }, { forgetseen: true }), "forgetseen", "forgetSeen"],
  ];
  for (const [call, option, nearest] of calls) {
    assert.throws(
      call,
      failsWith("E_ARG", ({ details }) => details.option === option && details.nearest === nearest),
      option,
    );
  }
  await assert.rejects(
    open(archivePath, { profil: false }),
    failsWith("E_ARG", ({ details }) => details.nearest === "profile"),
  );
});

test("values of the wrong type or range are E_ARG", async (t) => {
  const nf = await openFilms(t);
  const bad = [
    { k: 0 }, { k: -1 }, { k: 1.5 }, { k: "10" }, { k: NaN }, { k: 10_001 },
    { where: 7 }, { where: [] }, { where: null }, { params: "x" }, { params: [1] }, { now: Infinity }, { exclude: "tt1" }, { exclude: [1] }, { fields: "title" }, { fields: [null] },
    { seen: "maybe" }, { explain: -1 }, { recall: 0 }, { recall: 1 }, { recall: "all" }, { recall: NaN }, { now: "today" }, { now: new Date(NaN) },
  ];
  for (const options of bad) {
    assert.throws(() => nf.recommend(options), failsWith("E_ARG"), JSON.stringify(options));
  }
  for (const options of [null, [], "k", 7]) {
    assert.throws(() => nf.recommend(options), failsWith("E_ARG"));
  }
  for (const interaction of [
    undefined, {}, { item: "x" }, { kind: "like" }, { item: "", kind: "like" },
    { item: "x", kind: "love" }, { item: "x", kind: "like", weight: Infinity },
    { item: "x", kind: "like", at: "noon" }, { item: "x", kind: "like", taste: 1 },
  ]) {
    assert.throws(() => nf.profile.record(interaction), failsWith("E_ARG"));
  }
  for (const selector of [undefined, {}, { item: 7 }, "x"]) {
    assert.throws(() => nf.profile.exclude(selector), failsWith("E_ARG"));
  }
  assert.equal(nf.profile.entries().length, 0);
  for (const call of [() => nf.item(7), () => nf.search(7), () => nf.facets(""), () => nf.has()]) {
    assert.throws(call, failsWith("E_ARG"));
  }
});

test("recall decides how many lists are searched", async (t) => {
  const nf = await open(fixture("small-ip-v1.nf"), { profile: false });
  t.after(() => nf.dispose());
  assert.ok(nf.info.nLists > 1);
  const all = Array.from({ length: nf.info.nItems }, (_, i) => String(i));
  const answers = (recall) => all.map((id) => ids(nf.similar(id, { recall })).join());
  const exhaustive = answers("exhaustive");
  const found = (recall) => answers(recall).filter((answer, i) => answer === exhaustive[i]).length;
  assert.ok(found(0.01) < all.length, "the least recall misses something");
  assert.ok(found(0.999) >= found(0.01));
});

test("an option that is undefined is an option not given", async (t) => {
  const nf = await openFilms(t);
  const plain = nf.recommend({ now: NOW });
  const undefinedOnes = { k: undefined, where: undefined, exclude: undefined, fields: undefined };
  assert.deepEqual(nf.recommend({ ...undefinedOnes, now: NOW }), plain);
});

test("nothing inherited changes a call", async (t) => {
  const nf = await openFilms(t);
  const plain = nf.recommend({ now: NOW });
  const inherited = Object.assign(Object.create({ k: 1, bogus: true }), { now: NOW });
  assert.deepEqual(nf.recommend(inherited), plain);
  nf.profile.record({ item: plain.items[0].id, kind: "like", at: NOW });
  nf.profile.exclude({ item: plain.items[0].id }, { forgetSeen: true });
  const file = nf.profile.export();
  await nf.profile.erase();
  Object.prototype.k = 1;
  Object.prototype.weight = -5;
  Object.prototype.source = "planted";
  Object.prototype.exclude = ids(plain);
  t.after(() => {
    delete Object.prototype.k;
    delete Object.prototype.weight;
    delete Object.prototype.source;
    delete Object.prototype.exclude;
  });
  assert.deepEqual(ids(nf.recommend({ now: NOW })), ids(plain));
  nf.profile.import(file);
  assert.deepEqual(ids(nf.recommend({ now: NOW })), ids(plain));
});

test("__proto__ as an own key is an unknown option and pollutes nothing", async (t) => {
  const nf = await openFilms(t);
  assert.throws(() => nf.recommend(JSON.parse('{"__proto__": {"k": 1}}')), failsWith("E_ARG"));
  assert.throws(
    () => nf.profile.import('{"format":"nearfield-profile","version":1,"entries":[{"__proto__":{}}]}'),
    failsWith("E_ARG"),
  );
  assert.equal({}.k, undefined);
});

test("importing the package touches nothing of the host", async () => {
  const { execFileSync } = await import("node:child_process");
  const script = `
    for (const name of ["fetch", "indexedDB", "BroadcastChannel", "WebAssembly"]) {
      Object.defineProperty(globalThis, name, { get() { throw new Error("touched " + name); } });
    }
    await import("nearfield");
  `;
  execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: new URL("../..", import.meta.url),
  });
});
