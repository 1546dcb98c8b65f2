/** Answers over the film archive: what comes back, in which shape, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";

test("info describes the archive", async (t) => {
  const { info } = await openFilms(t);
  assert.equal(info.nItems, 17_472);
  assert.ok(info.dim > 0 && info.formatVersion >= 1);
  assert.ok(info.sections.reduce((sum, { bytes }) => sum + bytes, 0) <= info.totalBytes);
  for (const name of ["title", "year", "genres", "director", "cast", "country", "runtime"]) {
    assert.ok(info.columns.some((column) => column.name === name), name);
  }
  const year = info.columns.find((column) => column.name === "year");
  assert.deepEqual([year.kind, year.min, year.max], ["integer", 1940, 2014]);
  assert.ok(Object.isFrozen(info));
});

test("search finds titles by beginnings of words", async (t) => {
  const nf = await openFilms(t);
  const answer = nf.search("toy sto", { k: 3, fields: ["title", "year"] });
  assert.equal(answer.basis, "title");
  assert.ok(answer.items.length >= 1);
  for (const { fields } of answer.items) assert.match(fields.title, /toy sto/i);
  assert.deepEqual(Object.keys(answer.items[0].fields).sort(), ["title", "year"]);
  const none = nf.search("qqqqzzzzxxxx");
  assert.deepEqual(none.items, []);
  assert.deepEqual(none.shortfall, { requested: 10, returned: 0, reason: "matches" });
  assert.deepEqual(nf.search("").items, []);
});

test("item gives all columns or those asked for", async (t) => {
  const nf = await openFilms(t);
  const id = idOf(nf, "Alien");
  const whole = nf.item(id);
  assert.equal(whole.id, id);
  assert.match(whole.fields.title, /alien/i);
  assert.equal(Object.keys(whole.fields).length, nf.info.columns.length);
  assert.deepEqual(nf.item(id, ["year"]).fields, { year: whole.fields.year });
  assert.equal(nf.item("no such film"), undefined);
  assert.equal(nf.has(id), true);
  assert.equal(nf.has("no such film"), false);
});

test("similar leaves the item itself out and orders by score", async (t) => {
  const nf = await openFilms(t);
  const id = idOf(nf, "Alien");
  const answer = nf.similar(id, { k: 20 });
  assert.equal(answer.items.length, 20);
  assert.equal(answer.basis, "similarity");
  assert.ok(!ids(answer).includes(id));
  for (const [i, { score }] of answer.items.entries()) {
    assert.ok(Number.isFinite(score));
    assert.ok(i === 0 || score <= answer.items[i - 1].score);
  }
  assert.equal(new Set(ids(answer)).size, 20);
  assert.equal(answer.items[0].fields, undefined);
  assert.equal(answer.items[0].because, undefined);
});

test("similar takes a vector of the archive's dimension", async (t) => {
  const nf = await openFilms(t);
  const vector = Float32Array.from({ length: nf.info.dim }, (_, i) => Math.cos(i + 1));
  assert.equal(nf.similar(vector, { k: 7 }).items.length, 7);
  // A vector and nothing else takes a shorter way through the engine, to the same answer.
  for (const options of [{}, { k: 3 }, { k: 20_000 / 2 }, { recall: 0.6 }, { k: 300, recall: "exhaustive" }]) {
    const short = nf.similar(vector, { ...options, fields: ["title"] });
    assert.deepEqual(short, nf.similar(vector, { ...options, fields: ["title"], exclude: [] }), JSON.stringify(options));
    assert.equal(short.qualifying, nf.info.nItems);
  }
  for (const options of [{ k: 0 }, { k: 1.5 }, { k: "3" }, { k: 10_001 }, { recall: 0 }, { recall: 1 }, { recall: "all" }]) {
    assert.throws(() => nf.similar(vector, options), failsWith("E_ARG"), JSON.stringify(options));
  }
  assert.throws(() => nf.similar(new Float32Array(nf.info.dim + 1)), failsWith("E_ARG"));
  assert.throws(() => nf.similar(new Float32Array(nf.info.dim).fill(NaN)), failsWith("E_ARG"));
  assert.throws(() => nf.similar("no such film"), failsWith("E_ARG"));
  assert.throws(() => nf.similar([1, 2]), failsWith("E_ARG"));
});

test("where keeps only what qualifies, and k come back whenever k qualify", async (t) => {
  const nf = await openFilms(t);
  const where = 'genres has "Western" and year >= 1950 and year <= 1969';
  const answer = nf.recommend({ k: 15, where, fields: ["genres", "year"], now: NOW });
  assert.equal(answer.items.length, 15);
  for (const { fields } of answer.items) {
    assert.ok(fields.genres.includes("Western"));
    assert.ok(fields.year >= 1950 && fields.year <= 1969);
  }
  const all = nf.recommend({ k: 10_000, where, now: NOW });
  assert.equal(all.items.length, all.qualifying);
  assert.deepEqual(all.shortfall, {
    requested: 10_000,
    returned: all.qualifying,
    reason: "qualifying",
  });
  const exclude = ids(answer);
  const rest = nf.recommend({ k: 15, where, exclude, now: NOW });
  assert.equal(rest.qualifying, all.qualifying - 15);
  assert.ok(rest.items.every((item) => !exclude.includes(item.id)));
});

test("a where that does not compile is E_FILTER with a position", async (t) => {
  const nf = await openFilms(t);
  assert.throws(
    () => nf.recommend({ where: "year >=" }),
    failsWith("E_FILTER", (error) => Object.keys(error.details).length > 0),
  );
});

test("an unknown column is E_ARG with the nearest name", async (t) => {
  const nf = await openFilms(t);
  const nearest = (error) => error.details.nearest === "title";
  for (const call of [
    () => nf.recommend({ fields: ["titel"] }),
    () => nf.similar(idOf(nf, "Alien"), { fields: ["titel"] }),
    () => nf.search("alien", { fields: ["titel"] }),
    () => nf.item(idOf(nf, "Alien"), ["titel"]),
    () => nf.facets("titel"),
  ]) {
    assert.throws(call, failsWith("E_ARG", nearest));
  }
});

test("facets count values, most frequent first", async (t) => {
  const nf = await openFilms(t);
  const genres = nf.facets("genres");
  assert.ok(genres.length > 10);
  assert.equal(genres[0].value, "Drama");
  for (const [i, { count }] of genres.entries()) {
    assert.ok(count >= 1 && (i === 0 || count <= genres[i - 1].count));
  }
  const western = nf.facets("genres", { where: 'genres has "Western"' });
  assert.equal(
    western.find((facet) => facet.value === "Western").count,
    genres.find((facet) => facet.value === "Western").count,
  );
});

test("the same profile, options and moment give the same bits", async (t) => {
  const [one, two] = [await openFilms(t), await openFilms(t)];
  for (const nf of [one, two]) {
    for (const title of ["Alien", "Toy Story", "Casablanca"]) {
      nf.profile.record({ item: idOf(nf, title), kind: "like", at: NOW - 1000 });
    }
  }
  two.profile.import(one.profile.export());
  const options = { k: 50, explain: 3, now: NOW };
  const first = one.recommend(options);
  assert.deepEqual(one.recommend(options), first);
  assert.deepEqual(one.recommend({ ...options, now: new Date(NOW) }), first);
});
