/** The log: it takes effect at once, can be corrected, carried and erased, and never lies about keeping. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";

const ask = (nf, more = {}) => nf.recommend({ k: 20, explain: 3, now: NOW, ...more });
const like = (nf, title, more = {}) =>
  nf.profile.record({ item: idOf(nf, title), kind: "like", at: NOW - 60_000, ...more });

test("what is recorded changes the next answer, which cites it", async (t) => {
  const nf = await openFilms(t);
  const before = ask(nf);
  assert.equal(before.basis, "prior");
  like(nf, "Alien");
  const after = ask(nf);
  const id = idOf(nf, "Alien");
  assert.equal(after.basis, "taste");
  assert.notDeepEqual(ids(after), ids(before));
  assert.ok(!ids(after).includes(id));
  const [reason] = after.items[0].because;
  assert.deepEqual([reason.item, reason.kind, reason.at], [id, "like", NOW - 60_000]);
  assert.ok(Number.isFinite(reason.share));
  assert.ok(ids(ask(nf, { seen: "include" })).includes(id));
});

test("items the catalog lacks are kept in the log and harm nothing", async (t) => {
  const nf = await openFilms(t);
  nf.profile.record({ item: "from another catalog", kind: "like", at: NOW });
  assert.equal(nf.profile.entries().length, 1);
  assert.equal(ask(nf).items.length, 20);
});

test("excluding a source gives the slate of taste: false; including restores it", async (t) => {
  const [one, two] = [await openFilms(t), await openFilms(t)];
  like(one, "Alien");
  like(two, "Alien");
  const own = ask(one);
  like(one, "Toy Story", { source: "children" });
  like(two, "Toy Story", { source: "children", taste: false });
  const both = ask(one);
  one.profile.exclude({ source: "children" });
  assert.deepEqual(ask(one).items, ask(two).items);
  assert.ok(!ids(ask(one)).includes(idOf(one, "Toy Story")), "still seen");
  one.profile.exclude({ source: "children" }, { forgetSeen: true });
  assert.deepEqual(ask(one).items, own.items);
  one.profile.include({ source: "children" });
  assert.deepEqual(ask(one).items, both.items);
});

test("excluding an item takes its interactions out", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien");
  const before = ask(nf);
  like(nf, "Casablanca");
  nf.profile.exclude({ item: idOf(nf, "Casablanca") }, { forgetSeen: true });
  assert.deepEqual(ask(nf).items, before.items);
});

test("export and import merge: idempotent, in either order", async (t) => {
  const [one, two, both, other] = await Promise.all([0, 1, 2, 3].map(() => openFilms(t)));
  like(one, "Alien");
  like(one, "Toy Story", { source: "children", weight: 0.5 });
  one.profile.exclude({ source: "children" });
  like(two, "Casablanca");
  const [a, b] = [one.profile.export(), two.profile.export()];
  const first = both.profile.import(a);
  assert.deepEqual([first.added, first.known], [3, 0]);
  both.profile.import(b);
  const again = both.profile.import(a);
  assert.deepEqual([again.added, again.known], [0, 3]);
  await again.durable;
  other.profile.import(b);
  other.profile.import(a);
  assert.deepEqual(ask(other), ask(both));
  assert.equal(other.profile.export(), both.profile.export());
  assert.equal(both.profile.entries().length, 4);
});

test("an import that is wrong anywhere changes nothing and says where", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien");
  const before = nf.profile.export();
  const entry = (event) => ({ device: "d", sequence: 1, at_ms: NOW, event });
  const good = entry({ type: "interaction", item: "x", kind: "like" });
  const file = (...entries) => JSON.stringify({ format: "nearfield-profile", version: 1, entries });
  const bad = [
    "", "[]", "{}", '"x"', '{"format":"nearfield-profile","version":2,"entries":[]}',
    file(good, { ...good, sequence: -1 }),
    file(good, { ...good, sequence: 1.5 }),
    file(good, { ...good, device: "" }),
    file(good, { ...good, at_ms: null }),
    file(good, entry({ type: "interaction", item: "x", kind: "love" })),
    file(good, entry({ type: "exclude", selector: {} })),
    file(good, entry({ type: "forget" })),
    file(good, { ...good, surprise: 1 }),
  ];
  for (const text of bad) assert.throws(() => nf.profile.import(text), failsWith("E_ARG"), text);
  assert.throws(
    () => nf.profile.import(file(good, { ...good, sequence: -1 })),
    failsWith("E_ARG", (error) => error.message.includes("entries[1]")),
  );
  assert.equal(nf.profile.export(), before);
});

test("durable rejects in memory, and a rejection left alone is no unhandled one", async (t) => {
  const nf = await openFilms(t, { profile: "default", storage: "memory" });
  assert.equal(nf.profile.storage, "memory");
  let unhandled = 0;
  const count = () => (unhandled += 1);
  process.on("unhandledRejection", count);
  t.after(() => process.off("unhandledRejection", count));
  like(nf, "Casablanca");
  const { durable } = like(nf, "Alien");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(unhandled, 0);
  await assert.rejects(durable, failsWith("E_STORE"));
});

test("erase forgets everything at once", async (t) => {
  const nf = await openFilms(t);
  const before = ask(nf);
  like(nf, "Alien");
  await nf.profile.erase();
  assert.deepEqual(nf.profile.entries(), []);
  assert.deepEqual(ask(nf), before);
  like(nf, "Alien");
  assert.equal(nf.profile.entries().length, 1);
});

test("subscribers hear of every change until they leave", async (t) => {
  const nf = await openFilms(t);
  let heard = 0;
  const leave = nf.profile.subscribe(() => (heard += 1));
  like(nf, "Alien");
  nf.profile.exclude({ item: "x" });
  await nf.profile.erase();
  assert.equal(heard, 3);
  leave();
  like(nf, "Alien");
  await Promise.resolve();
  assert.equal(heard, 3);
});

test("entries come in canonical order and in camelCase", async (t) => {
  const nf = await openFilms(t);
  nf.profile.record({ item: "b", kind: "play", at: NOW, source: "s", weight: 2 });
  nf.profile.record({ item: "a", kind: "like", at: new Date(NOW - 1) });
  const [first, second] = nf.profile.entries();
  assert.deepEqual([first.event.item, first.at, first.sequence], ["a", NOW - 1, 2]);
  assert.deepEqual({ ...second.event }, {
    type: "interaction", item: "b", kind: "play", source: "s", weight: 2,
  });
  nf.profile.exclude({ item: "a" }, { forgetSeen: true });
  assert.deepEqual({ ...nf.profile.entries().at(-1).event }, {
    type: "exclude", selector: { item: "a" }, forgetSeen: true,
  });
});
