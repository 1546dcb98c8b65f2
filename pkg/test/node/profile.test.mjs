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

test("a context is kept with an interaction, and excluded by", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien", { context: { device: "tv", hour: 20, guest: false } });
  const own = ask(nf);
  like(nf, "Toy Story", { context: { device: "tv", hour: "20", guest: true } });
  const both = ask(nf);
  assert.deepEqual({ ...nf.profile.entries()[0].event.context }, { device: "tv", guest: "false", hour: "20" });
  nf.profile.exclude({ context: { hour: 20, guest: true } }, { forgetSeen: true });
  assert.deepEqual(ask(nf).items, own.items);
  nf.profile.include({ context: { guest: "true", hour: "20" } });
  assert.deepEqual(ask(nf).items, both.items);
  for (const context of [null, [], "tv", { hour: NaN }, { hour: {} }, { "": "x" }, { a: "x".repeat(1025) }]) {
    const wrong = () => like(nf, "Alien", { context });
    assert.throws(wrong, failsWith("E_ARG", (error) => error.message.includes("context")));
  }
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, i]));
  assert.throws(() => like(nf, "Alien", { context: many }), failsWith("E_ARG"));
});

test("a context's keys are own members, whatever their names", async (t) => {
  const nf = await openFilms(t);
  const context = JSON.parse('{"__proto__":"x","constructor":"y"}');
  like(nf, "Alien", { context });
  nf.profile.exclude({ context: JSON.parse('{"__proto__":"x"}') });
  assert.equal(ask(nf).basis, "prior");
  const [like_, exclude] = nf.profile.entries();
  assert.deepEqual(Object.entries(like_.event.context), Object.entries(context));
  assert.deepEqual(Object.entries(exclude.event.selector.context), [["__proto__", "x"]]);
  assert.equal({}.x, undefined);
  const two = await openFilms(t);
  two.profile.import(nf.profile.export());
  assert.equal(two.profile.export(), nf.profile.export());
});

test("excluding a time takes out what lies in it, up to its end", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien", { at: NOW });
  const own = ask(nf);
  like(nf, "Toy Story", { at: NOW - 3_600_000 });
  nf.profile.exclude({ from: new Date(NOW - 3_600_000), to: NOW }, { forgetSeen: true });
  assert.deepEqual(ask(nf).items, own.items);
  assert.deepEqual({ ...nf.profile.entries().at(-1).event.selector }, { from: NOW - 3_600_000, to: NOW });
  const bad = [{ from: NOW, to: NOW }, { from: "yesterday" }, { to: 1e18 }, { context: {} }, { since: 5 }, {}];
  for (const selector of bad) {
    assert.throws(() => nf.profile.exclude(selector), failsWith("E_ARG"), JSON.stringify(selector));
  }
});

test("a program excluded as an object is included as text", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien");
  const own = ask(nf);
  nf.profile.exclude({ where: { exists: { field: "year" } } });
  assert.equal(ask(nf).basis, "prior");
  nf.profile.include({ where: "exists( year )" });
  assert.deepEqual(ask(nf).items, own.items);
});

test("the last word about an exclusion counts, even after one by a clock that is ahead", async (t) => {
  const nf = await openFilms(t);
  like(nf, "Alien");
  const selector = { source: "radio" };
  const event = { type: "exclude", selector: { item: idOf(nf, "Alien") } };
  const entries = [{ device: "ahead", sequence: 1, at_ms: Date.UTC(2400, 0), event }];
  nf.profile.import(JSON.stringify({ format: "nearfield-profile", version: 1, entries }));
  assert.equal(ask(nf).basis, "prior");
  nf.profile.exclude(selector);
  nf.profile.include({ item: idOf(nf, "Alien") });
  assert.equal(ask(nf).basis, "taste");
});

test("shown slates are recorded whole, counted, and make nothing seen", async (t) => {
  const nf = await openFilms(t);
  const before = ask(nf);
  const items = ids(before).slice(0, 3).map((item, position) => ({ item, position }));
  items[1].propensity = 0.25;
  items[2].propensity = null;
  const shown = { slate: "s1", policy: "softmax", context: { hour: 20 }, items };
  assert.equal(nf.profile.shown({ ...shown, at: NOW - 1000 }).recorded, true);
  assert.deepEqual(ask(nf), before);
  const counted = { where: 'count("impression", "1h") >= 1', now: NOW };
  assert.equal(nf.count(counted), 3);
  const { event } = nf.profile.entries()[0];
  assert.deepEqual({ ...event, context: { ...event.context }, items: event.items.map((item) => ({ ...item })) }, {
    type: "shown",
    slate: "s1",
    policy: "softmax",
    context: { hour: "20" },
    items: [items[0], items[1], { item: items[2].item, position: 2 }],
  });
  const two = await openFilms(t);
  assert.equal(two.profile.import(nf.profile.export()).added, 1);
  assert.equal(two.count(counted), 3);
  nf.profile.exclude({ item: items[0].item }, { forgetSeen: true });
  assert.equal(nf.count(counted), 2);
  const wrong = [
    {},
    { slate: "s" },
    { slate: "", items },
    { slate: "s", items: [{ item: "a" }] },
    { slate: "s", items: [{ item: "a", position: -1 }] },
    { slate: "s", items: [{ item: "a", position: 0, propensity: 0 }] },
    { slate: "s", items: [{ item: "a", position: 0, propensity: 1.5 }] },
    { slate: "s", items: [{ item: "a", position: 0, score: 1 }] },
    { slate: "s", items: [{ item: "a", position: 2 ** 32 }] },
    { slate: "s", items: Array(1001).fill({ item: "a", position: 0 }) },
  ];
  for (const value of wrong) assert.throws(() => nf.profile.shown(value), failsWith("E_ARG"), JSON.stringify(value));
});

test("recording that starts switched off changes nothing and says so, until it is switched on", async (t) => {
  const nf = await openFilms(t, { recording: false });
  const before = ask(nf);
  assert.equal(nf.profile.recording, false);
  for (const { recorded, durable } of [
    like(nf, "Alien"),
    nf.profile.shown({ slate: "s", items: [{ item: "a", position: 0 }] }),
  ]) {
    assert.equal(recorded, false);
    await durable;
  }
  assert.deepEqual(ask(nf), before);
  assert.deepEqual(nf.profile.entries(), []);
  assert.throws(() => nf.profile.record({ item: "a", kind: "love" }), failsWith("E_ARG"));
  // The person's own doing works either way.
  assert.equal(nf.profile.exclude({ source: "radio" }).recorded, true);
  nf.profile.recording = true;
  assert.equal(like(nf, "Alien").recorded, true);
  assert.equal(ask(nf).basis, "taste");
  nf.profile.recording = false;
  assert.equal(like(nf, "Casablanca").recorded, false);
  assert.equal(nf.profile.entries().length, 2);
  assert.throws(() => (nf.profile.recording = "yes"), failsWith("E_ARG"));
  await assert.rejects(openFilms(t, { recording: 1 }), failsWith("E_ARG"));
});

test("what is older than maxAge is not let in, and answers never knew it", async (t) => {
  const day = 86_400_000;
  const now = Date.now();
  const [all, limited, fresh] = [await openFilms(t), await openFilms(t, { maxAge: 30 }), await openFilms(t)];
  like(all, "Toy Story", { at: now - 31 * day });
  all.profile.shown({ slate: "s", items: [{ item: "a", position: 0 }], at: now - 31 * day });
  like(all, "Alien", { at: now - 29 * day });
  like(fresh, "Alien", { at: now - 29 * day });
  // A word has no age: it speaks about the future too.
  all.profile.exclude({ source: "radio" });
  const found = limited.profile.import(all.profile.export());
  assert.deepEqual([found.added, found.known, found.expired], [2, 0, 2]);
  assert.deepEqual(ask(limited).items, ask(fresh).items);
  assert.equal(like(limited, "Casablanca", { at: now - 31 * day }).recorded, false);
  assert.equal(limited.profile.entries().length, 2);
  for (const maxAge of [0, -1, NaN, Infinity, "30d"]) {
    await assert.rejects(openFilms(t, { maxAge }), failsWith("E_ARG"));
  }
});

test("compaction drops what grew too old and words that later ones replaced", async (t) => {
  const nf = await openFilms(t, { maxAge: 1 / 864_000 });
  like(nf, "Alien", { at: Date.now() });
  like(nf, "Casablanca", { at: Date.now() + 3_600_000 });
  nf.profile.exclude({ source: "radio" });
  nf.profile.include({ source: "radio" });
  await new Promise((resolve) => setTimeout(resolve, 150));
  let heard = 0;
  nf.profile.subscribe(() => (heard += 1));
  const { dropped, durable } = nf.profile.compact();
  await durable;
  assert.equal(dropped, 2);
  assert.equal(heard, 1);
  assert.deepEqual(nf.profile.entries().map(({ event }) => event.type).sort(), ["include", "interaction"]);
  assert.equal(nf.profile.compact().dropped, 0);
  const unlimited = await openFilms(t);
  like(unlimited, "Alien", { at: 0 });
  assert.equal(unlimited.profile.compact().dropped, 0);
});

test("two entries under one key end the same in either order", async (t) => {
  const file = (...entries) => JSON.stringify({ format: "nearfield-profile", version: 1, entries });
  const entry = (item, at_ms) => ({ device: "cloned", sequence: 1, at_ms, event: { type: "interaction", item, kind: "like" } });
  const [one, two] = [file(entry("x", NOW)), file(entry("y", NOW))];
  const exports = [];
  for (const files of [[one, two], [two, one], [file(entry("y", NOW), entry("x", NOW))]]) {
    const nf = await openFilms(t);
    for (const text of files) nf.profile.import(text);
    const text = nf.profile.export();
    assert.equal(nf.profile.entries().length, 1);
    assert.equal(nf.profile.import(text).known, 1);
    exports.push(text);
  }
  assert.equal(new Set(exports).size, 1);
});

test("profiles are switched in place, each with its own log", async (t) => {
  const nf = await openFilms(t, { profile: "me", storage: "memory" });
  let heard = 0;
  nf.profile.subscribe(() => (heard += 1));
  const before = ask(nf);
  like(nf, "Alien");
  const [{ device }] = nf.profile.entries();
  await nf.profile.switchTo("kids");
  assert.deepEqual([nf.profile.name, heard], ["kids", 2]);
  assert.deepEqual(ask(nf), before);
  like(nf, "Toy Story");
  assert.notEqual(nf.profile.entries()[0].device, device);
  await nf.profile.switchTo(false);
  assert.deepEqual([nf.profile.name, nf.profile.entries()], [false, []]);
  // The last of several counts, and the others say so.
  const [first, second] = [nf.profile.switchTo("a"), nf.profile.switchTo("b")];
  await assert.rejects(first, failsWith("E_ABORTED"));
  await second;
  assert.equal(nf.profile.name, "b");
  await assert.rejects(nf.profile.switchTo(""), failsWith("E_ARG"));
  const late = nf.profile.switchTo("c");
  nf.dispose();
  await assert.rejects(late, failsWith("E_NOT_READY"));
});
