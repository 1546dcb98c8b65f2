/** The language as a program meets it: two spellings, parameters, history, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";

const DAY = 86_400_000;

test("text and objects select the same, everywhere a where is taken", async (t) => {
  const nf = await openFilms(t);
  const text = 'genres has "Western" and year between 1950 and 1969 and not exists(cast) == false';
  const where = {
    and: [
      { has: [{ field: "genres" }, "Western"] },
      { between: [{ field: "year" }, 1950, 1969] },
      { not: { "==": [{ exists: { field: "cast" } }, false] } },
    ],
  };
  const id = idOf(nf, "Alien");
  const options = { k: 10_000, now: NOW };
  for (const call of [
    (where) => nf.recommend({ ...options, where }),
    (where) => nf.similar(id, { ...options, where }),
    (where) => nf.search("the", { ...options, where }),
    (where) => nf.facets("country", { where, limit: 5 }),
    (where) => nf.count({ where }),
  ]) {
    assert.deepEqual(call(text), call(where));
    assert.notDeepEqual(call(text), call("true"));
  }
  assert.equal(nf.count({ where: text }), nf.recommend({ ...options, where }).qualifying);
  assert.equal(nf.count(), nf.info.nItems);
  assert.equal(nf.count({ where: true }), nf.info.nItems);
});

test("a title search keeps to its where and exclude, and still fills its answer", async (t) => {
  const nf = await openFilms(t);
  const answer = nf.search("the", { k: 20, where: "year < 1975", fields: ["year"] });
  assert.equal(answer.items.length, 20);
  for (const { fields } of answer.items) assert.ok(fields.year < 1975);
  const exclude = ids(answer);
  const rest = nf.search("the", { k: 20, where: "year < 1975", exclude });
  assert.ok(ids(rest).every((id) => !exclude.includes(id)));
});

test("a title that is what was typed comes first", async (t) => {
  const nf = await openFilms(t);
  const [first] = nf.search("toy story", { fields: ["title"] }).items;
  assert.equal(first.fields.title, "Toy Story");
});

test("parameters", async (t) => {
  const nf = await openFilms(t);
  const where = "year >= $from and genres has any $genres";
  const params = { from: 1990, genres: ["Western", "Horror"] };
  const written = 'year >= 1990 and genres has any ["Western", "Horror"]';
  assert.equal(nf.count({ where, params }), nf.count({ where: written }));
  assert.notEqual(nf.count({ where, params: { ...params, from: 2000 } }), nf.count({ where, params }));
  const place = ({ details }) => details.position === where.indexOf("$from");
  assert.throws(() => nf.count({ where, params: { form: 1990 } }), failsWith("E_FILTER", place));
  for (const from of [NaN, undefined, null, {}, () => 1]) {
    assert.throws(() => nf.count({ where, params: { ...params, from } }), (error) =>
      ["E_ARG", "E_FILTER"].includes(error.code));
  }
  const circle = {};
  circle.circle = circle;
  assert.throws(() => nf.count({ where: circle }), failsWith("E_ARG"));
});

test("history: at once, and as it was at each moment", async (t) => {
  const nf = await openFilms(t);
  const [alien, blade] = [idOf(nf, "Alien"), idOf(nf, "Blade Runner")];
  const count = (where, now = NOW) => nf.count({ where, now });
  assert.equal(count("seen()"), 0);
  nf.profile.record({ item: alien, kind: "play", at: NOW - 40 * DAY });
  nf.profile.record({ item: alien, kind: "play", at: NOW - 3 * DAY });
  nf.profile.record({ item: blade, kind: "like", at: NOW - 10 * DAY });
  nf.profile.record({ item: blade, kind: "impression", at: NOW - DAY });
  assert.equal(count("seen()"), 2);
  assert.equal(count('seen("7d")'), 1);
  assert.equal(count('seen("7d")', NOW + 5 * DAY), 0);
  assert.equal(count('seen("7d")'), 1, "a kept answer is not one of another moment");
  assert.equal(count('count("play", "90d") == 2'), 1);
  assert.equal(count('count("impression") >= 1 and liked()'), 1);
  assert.deepEqual(ids(nf.recommend({ where: "liked()", seen: "include", now: NOW })), [blade]);
  nf.profile.record({ item: blade, kind: "dislike", at: NOW });
  assert.equal(count("liked()"), 0);
  assert.equal(count('disliked() and liked("30d") == false'), 1);
  await nf.profile.erase();
  assert.equal(count("seen() or disliked()"), 0);
});

test("ages count back from now", async (t) => {
  const nf = await openFilms(t);
  const dates = nf.info.columns.filter(({ kind }) => kind === "date");
  // The films have years alone; what ages do to dates is tested on the engine's own catalogs.
  assert.equal(dates.length, 0);
  assert.throws(() => nf.count({ where: 'year >= age("30d")' }), failsWith("E_FILTER"));
});

test("an exclusion by a condition is exact, and reversible in the same spelling", async (t) => {
  const nf = await openFilms(t);
  const like = (title) => nf.profile.record({ item: idOf(nf, title), kind: "like", at: NOW - DAY });
  const answer = (exclude = []) => nf.recommend({ k: 30, explain: 5, exclude, now: NOW });
  like("Casablanca");
  const classic = answer([idOf(nf, "Alien")]);
  like("Alien");
  const both = answer();
  assert.notDeepEqual(both, classic);
  const where = { has: [{ field: "genres" }, "Horror"] };
  nf.profile.exclude({ where });
  const without = answer();
  assert.deepEqual(without, classic, "it says nothing about the taste, and is known all the same");
  const file = nf.profile.export();
  nf.profile.include({ where });
  assert.deepEqual(answer(), both);
  await nf.profile.erase();
  nf.profile.import(file);
  assert.deepEqual(answer(), without);
});

test("an exclusion that does not compile is refused and changes nothing", async (t) => {
  const nf = await openFilms(t);
  for (const where of ["yaer > 3", "seen()", "year > $x", 'year > age("3d")', "year", ""]) {
    assert.throws(() => nf.profile.exclude({ where }), failsWith("E_FILTER"), where);
  }
  assert.equal(nf.profile.entries().length, 0);
});

test("hostile programs are E_FILTER with a place", async (t) => {
  const nf = await openFilms(t);
  const nested = (depth) => JSON.parse(`${'{"not":'.repeat(depth)}true${"}".repeat(depth)}`);
  for (const where of [
    "__proto__", "constructor > 3", "toString()", "`__proto__` has \"x\"",
    "x".repeat(10_001), `${"(".repeat(5000)}true`, "not ".repeat(2000), "-".repeat(9000),
    `title == "\ud800"`, { "==": [{ field: "director" }, "\udfff"] },
    JSON.parse('{"__proto__": [true]}'), { constructor: [] }, { field: "__proto__" },
    { and: undefined }, {},
    { not: [] }, { has: [{ field: "genres" }] }, { field: 3 }, { and: [[]] },
    { and: [true], or: [true] }, nested(65), nested(3000), { in: [{ field: "year" }, Array(60_000).fill(1)] },
  ]) {
    assert.throws(
      () => nf.count({ where }),
      failsWith("E_FILTER", ({ details }) => Number.isInteger(details.position)),
      JSON.stringify(where).slice(0, 80),
    );
  }
  for (const [where, path] of [
    [{ and: [true, NaN] }, "where.and[1]"], [{ ">": [{ field: "year" }, Infinity] }, "where.>[1]"],
    [{ "<": [{ field: "year" }, new Date()] }, "where.<[1]"], [{ and: [, true] }, "where.and[0]"],
  ]) {
    assert.throws(() => nf.count({ where }), failsWith("E_ARG", ({ details }) => details.argument.endsWith(path)), path);
  }
  assert.equal(nf.count({ where: nested(60) }), nf.info.nItems);
  assert.equal({}.polluted, undefined);
});

test("facets give the most frequent values, as many as asked for", async (t) => {
  const nf = await openFilms(t);
  const all = nf.facets("country");
  assert.deepEqual(nf.facets("country", { limit: 7 }), all.slice(0, 7));
  assert.equal(nf.facets("cast", { limit: 3 }).length, 3);
  assert.throws(() => nf.facets("country", { limit: 0 }), failsWith("E_ARG"));
});
