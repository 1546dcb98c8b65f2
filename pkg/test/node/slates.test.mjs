/** Slates: that options reach the engine, and that what it says of its answers arrives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open, sentence } from "nearfield";
import { archivePath, failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";
import { breakable } from "../support/breakable.mjs";

const DAY = 86_400_000;

/** Records likes of these titles, a day apart and all in the past. */
function like(nf, ...titles) {
  titles.forEach((title, i) => nf.profile.record({ item: idOf(nf, title), kind: "like", at: NOW - (i + 1) * DAY }));
}

/** Somebody with two interests. */
async function openWithTaste(t, options) {
  const nf = await openFilms(t, options);
  like(nf, "Alien", "Blade Runner", "The Thing", "Toy Story", "Finding Nemo", "Shrek");
  return nf;
}

const directors = (answer) => answer.items.flatMap(({ fields }) => fields.director);

function most(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Math.max(...counts.values());
}

test("caps are kept, and what they kept out is told", async (t) => {
  const nf = await openWithTaste(t);
  const options = { k: 40, fields: ["director"], now: NOW };
  assert.ok(most(directors(nf.recommend(options))) > 1, "a cap has something to do here");
  const answer = nf.recommend({ ...options, caps: { director: 1 } });
  assert.equal(answer.items.length, 40);
  assert.equal(most(directors(answer)), 1);
  const where = 'director has "Ridley Scott" or director has "John Carpenter"';
  const short = nf.recommend({ k: 10, where, caps: { director: 1 }, now: NOW });
  const { reason, requested, returned, heldBack } = short.shortfall;
  assert.deepEqual([reason, requested, returned], ["composition", 10, short.items.length]);
  assert.ok(short.items.length < short.qualifying);
  assert.ok(heldBack.some(({ by, count }) => /cap director/.test(by) && count > 0), JSON.stringify(heldBack));
});

test("parts add up to the score, those of one name together", async (t) => {
  const nf = await openWithTaste(t);
  const answer = nf.recommend({
    k: 30,
    now: NOW,
    parts: true,
    weights: { taste: 2, prior: 0.3 },
    boosts: [
      { name: "ours", where: 'genres has "Horror"', weight: 0.2 },
      { name: "ours", where: { ">=": [{ field: "year" }, 1980] }, weight: 0.1 },
      { value: "year / 10000", weight: 0.5 },
    ],
  });
  for (const { score, parts } of answer.items) {
    assert.deepEqual(Object.keys(parts), ["taste", "prior", "ours", "year / 10000"]);
    const sum = Object.values(parts).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - score) < 1e-12, `${sum} ${score}`);
  }
  assert.ok(answer.items.some(({ parts }) => Math.abs(parts.ours - 0.3) < 1e-12));
  assert.equal(nf.recommend({ now: NOW }).items[0].parts, undefined);
});

test("places left to chance carry propensities; shown records them", async (t) => {
  const nf = await openWithTaste(t);
  const explore = { slots: [2, 5], candidates: 20 };
  const answer = nf.recommend({ k: 8, now: NOW, seed: 7, explore, context: { hour: 20 } });
  assert.match(answer.policy, /softmax/);
  answer.items.forEach(({ propensity }, i) => {
    assert.equal(propensity !== undefined, explore.slots.includes(i));
    if (propensity !== undefined) assert.ok(propensity > 0 && propensity <= 1);
  });
  assert.equal(answer.explored.length, 20);
  const temperature = 0.1;
  const weights = answer.explored.map(({ relevance }) => Math.exp(relevance / temperature));
  const i = answer.explored.findIndex(({ id }) => id === answer.items[2].id);
  const expected = weights[i] / weights.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(answer.items[2].propensity - expected) < 1e-9, "the first draw's is the softmax itself");
  assert.equal(nf.recommend({ k: 8, now: NOW, seed: 7, explore, context: { hour: 20 } }).items[2].id, answer.items[2].id);
  const drawn = new Set();
  for (let seed = 0; seed < 20; seed += 1) drawn.add(nf.recommend({ k: 8, now: NOW, seed, explore }).items[2].id);
  assert.ok(drawn.size > 3, "the seed decides");

  assert.equal(nf.shown(answer, { at: NOW }).recorded, true);
  const { event } = nf.profile.entries().find(({ event }) => event.type === "shown");
  assert.deepEqual([event.slate, event.policy, { ...event.context }], [answer.slate, answer.policy, { hour: "20" }]);
  assert.deepEqual(event.items.map(({ item }) => item), ids(answer));
  assert.deepEqual(event.items.map(({ position }) => position), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(event.items.map(({ propensity }) => propensity), answer.items.map(({ propensity }) => propensity));
  const device = nf.shown(nf.recommend({ now: NOW }), { context: { device: "tv" }, at: new Date(NOW) });
  assert.equal(device.recorded, true);
  assert.deepEqual({ ...nf.profile.entries().at(-1).event.context }, { device: "tv" });
  for (const wrong of [undefined, null, {}, "x", { ...answer }]) assert.throws(() => nf.shown(wrong), failsWith("E_ARG"));
  assert.throws(() => nf.shown(answer, { contxt: {} }), failsWith("E_ARG", ({ details }) => details.nearest === "context"));
});

test("a slate's id is its own, and no part of what two equal answers share", async (t) => {
  const [nf, other] = [await openFilms(t), await openFilms(t)];
  const answers = [nf, nf, other].map((one) => one.recommend({ now: NOW }));
  assert.equal(new Set(answers.map(({ slate }) => slate)).size, 3);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(answers[2], answers[0]);
  assert.equal(typeof nf.search("alien").slate, "string");
});

test("ten pages have no repeats and keep to the rules of one slate", async (t) => {
  const nf = await openWithTaste(t);
  const options = { k: 12, fields: ["director"], caps: { director: 2 }, diversity: { strength: 0.3 }, now: NOW };
  const first = nf.recommend(options);
  const pages = [first];
  while (pages.length < 10) pages.push(nf.next(pages.at(-1)));
  const shown = pages.flatMap(ids);
  assert.equal(shown.length, 120);
  assert.equal(new Set(shown).size, 120);
  assert.ok(most(pages.flatMap(directors)) <= 2, "caps count what earlier pages showed");
  assert.equal(new Set(pages.map(({ slate }) => slate)).size, 10);
  assert.deepEqual(ids(nf.next(first)), ids(pages[1]), "asked for again, a page is the same");
  assert.equal(nf.next(first, 5).items.length, 5);
  for (const wrong of [undefined, {}, { ...first }, nf.search("alien"), nf.similar(shown[0])]) {
    assert.throws(() => nf.next(wrong), failsWith("E_ARG"));
  }
  for (const k of [0, "5", NaN, null]) assert.throws(() => nf.next(first, k), failsWith("E_ARG"));
  const few = { where: "year == 1979", k: 10_000, now: NOW };
  const all = nf.recommend(few);
  const rest = nf.next(all);
  assert.deepEqual([rest.items, rest.shortfall.reason], [[], "qualifying"]);
});

test("a later change by the caller changes no page", async (t) => {
  const nf = await openWithTaste(t);
  const options = { k: 10, caps: { director: 1 }, exclude: [], boosts: [{ where: { field: "x" }, weight: 0 }], now: NOW };
  options.boosts[0].where = { ">": [{ field: "year" }, 1990] };
  const first = nf.recommend(options);
  const expected = ids(nf.next(first));
  options.caps.director = 5;
  options.exclude.push(expected[0]);
  options.boosts[0].where[">"][1] = 1940;
  assert.deepEqual(ids(nf.next(first)), expected);
});

test("pins and pools stand where they should; what cannot be is unmet", async (t) => {
  const nf = await openWithTaste(t);
  const [casablanca, heat, vertigo] = ["Casablanca", "Heat", "Vertigo"].map((title) => idOf(nf, title));
  const answer = nf.recommend({
    k: 10,
    now: NOW,
    trace: true,
    pins: [{ item: casablanca, position: 1 }, { item: "no such film", position: 3 }],
    pools: [{ name: "ours", items: [heat, vertigo], positions: [4] }],
    quotas: [{ name: "silent", where: "year < 1941 and year > 1950", least: 0.1 }],
  });
  assert.equal(ids(answer)[1], casablanca);
  assert.ok([heat, vertigo].includes(ids(answer)[4]));
  assert.deepEqual(
    answer.unmet.map(({ what, name, missing }) => [what, name, missing]).sort(),
    [["pin", "no such film", 1], ["quota", "silent", 1]],
  );
  assert.equal(answer.trace.length, 10);
  const [pin, pool] = [answer.trace[1], answer.trace[4]];
  assert.deepEqual([pin.position, pin.item, pin.reason, pin.rule], [1, casablanca, "pin", casablanca]);
  assert.deepEqual([pool.reason, pool.rule], ["pool", "ours"]);
  const again = nf.next(answer);
  assert.ok(!ids(again).includes(casablanca));
  assert.deepEqual(again.unmet.filter(({ what }) => what === "pin").map(({ name }) => name), ["no such film"]);
});

test("diversity, calibration, floor and interests change the slate as asked", async (t) => {
  const nf = await openWithTaste(t);
  const base = { k: 20, now: NOW, fields: ["genres"] };
  const plain = ids(nf.recommend(base));
  for (const method of ["mmr", "dpp"]) {
    assert.notDeepEqual(ids(nf.recommend({ ...base, diversity: { method, strength: 0.5 } })), plain, method);
    assert.deepEqual(ids(nf.recommend({ ...base, diversity: { method, strength: 0 } })), plain, method);
  }
  const target = { Western: 1, Musical: 1 };
  const mixed = nf.recommend({ ...base, calibration: { field: "genres", strength: 1, target } });
  const n = (answer) => answer.items.filter(({ fields }) => fields.genres.some((genre) => genre in target)).length;
  assert.ok(n(mixed) > n(nf.recommend(base)));
  assert.ok(nf.recommend({ ...base, k: 150, candidates: 200, floor: 0.9 }).items.length < 150);
  const split = nf.recommend({ ...base, interests: 2, labels: ["genres"] });
  assert.equal(split.interests.length, 2);
  assert.ok(split.items.some(({ interest }) => interest === 0) && split.items.some(({ interest }) => interest === 1));
  assert.ok(split.interests[0].importance >= split.interests[1].importance);
  assert.ok(split.interests.every(({ medoid, labels }) => nf.has(medoid) && labels.every(({ field }) => field === "genres")));
});

test("decay: what of the past counts follows windows, half-lives and the moment", async (t) => {
  const nf = await openFilms(t);
  nf.profile.record({ item: idOf(nf, "Alien"), kind: "play", at: NOW - 700 * DAY });
  nf.profile.record({ item: idOf(nf, "Toy Story"), kind: "play", at: NOW - DAY });
  const reasons = (options) =>
    nf.recommend({ k: 1, explain: 2, now: NOW, ...options }).items[0].because.map(({ item }) => item);
  assert.deepEqual(reasons({ windows: [{ days: 30 }] }), [idOf(nf, "Toy Story")]);
  const share = (halflives) => {
    const found = nf.recommend({ k: 200, explain: 2, now: NOW, halflives }).items.flatMap(({ because }) => because);
    return Math.max(...found.filter(({ item }) => item === idOf(nf, "Alien")).map(({ share }) => Math.abs(share)), 0);
  };
  assert.ok(share({ play: null }) > share({ play: 30 }), "null: never fades");
});

test("rank brings a list from elsewhere to the person's order", async (t) => {
  const nf = await openWithTaste(t);
  const list = nf.search("the", { k: 30 }).items.map(({ id }) => id);
  const answer = nf.rank([...list, "no such film"], { now: NOW });
  assert.deepEqual([...ids(answer)].sort(), [...new Set(list)].sort());
  assert.ok(answer.items.every(({ score }, i) => i === 0 || score <= answer.items[i - 1].score));
  assert.ok(answer.warnings.some((warning) => warning.includes("no such film")));
  assert.deepEqual(answer.shortfall, { requested: 31, returned: list.length, reason: "qualifying" });
  // By the same taste as everywhere.
  const tastes = (found) => new Map(found.items.map(({ id, parts }) => [id, parts.taste]));
  const everything = tastes(nf.recommend({ k: 10_000, seen: "include", parts: true, now: NOW }));
  const ranked = [...tastes(nf.rank(list, { parts: true, now: NOW }))].filter(([id]) => everything.has(id));
  assert.ok(ranked.length > 5);
  for (const [id, taste] of ranked) assert.equal(taste, everything.get(id));
  assert.equal(nf.rank(list, { k: 3, now: NOW }).items.length, 3);
  assert.deepEqual(ids(nf.rank([], { now: NOW })), []);
  for (const wrong of [undefined, "x", [7]]) assert.throws(() => nf.rank(wrong), failsWith("E_ARG"));
  assert.throws(() => nf.rank(list, { seen: "include" }), failsWith("E_ARG"));
});

test("discover answers for examples, whatever the profile says", async (t) => {
  const [nf, empty] = [await openWithTaste(t), await openFilms(t)];
  const [alien, nemo] = [idOf(nf, "Alien"), idOf(nf, "Finding Nemo")];
  const options = { like: [alien], dislike: [nemo], k: 20, now: NOW };
  const answer = nf.discover(options);
  assert.deepEqual(answer, empty.discover(options));
  assert.equal(answer.basis, "taste");
  assert.ok(!ids(answer).includes(alien) && !ids(answer).includes(nemo));
  assert.notDeepEqual(ids(answer), ids(nf.discover({ ...options, dislike: [] })));
  assert.equal(new Set([...ids(answer), ...ids(nf.next(answer))]).size, 40);
  assert.throws(() => nf.discover({ like: ["no such film"] }), failsWith("E_ARG"));
  assert.throws(() => nf.discover({ like: alien }), failsWith("E_ARG"));
  assert.deepEqual(empty.profile.entries(), []);
});

test("rows: one for each interest, without repeats", async (t) => {
  const nf = await openWithTaste(t);
  const rows = nf.rows({ k: 6, labels: ["genres", "director"], explain: 1, now: NOW });
  assert.ok(rows.length >= 2);
  const all = rows.flatMap(ids);
  assert.equal(new Set(all).size, all.length);
  rows.forEach(({ interest }, i) => {
    assert.ok(nf.has(interest.medoid));
    assert.ok(i === 0 || interest.importance <= rows[i - 1].interest.importance);
    for (const label of interest.labels) assert.ok(["genres", "director"].includes(label.field));
  });
  assert.equal(nf.rows({ interests: 1, now: NOW }).length, 1);
  assert.deepEqual((await openFilms(t)).rows({ now: NOW }), []);
});

test("summary says what is known of a taste", async (t) => {
  const nf = await openWithTaste(t);
  const summary = nf.summary({ mix: "genres", age: "year", labels: ["genres", "year"], now: NOW });
  assert.ok(summary.interests.length >= 2);
  assert.ok(Math.abs(summary.mix.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  for (const name of ["exploring", "new", "varied"]) {
    const { value, nItems } = summary[name];
    assert.ok(value >= 0 && value <= 1 && nItems > 0, name);
  }
  assert.equal((await openFilms(t)).summary(), undefined);
  assert.throws(() => nf.summary({ mix: "title" }), failsWith("E_ARG"));
  assert.throws(() => nf.summary({ mix: "genre" }), failsWith("E_ARG", ({ message }) => /genres/.test(message)));
});

test("onboarding gives items that tell much, with their columns", async (t) => {
  const nf = await openFilms(t);
  const items = nf.onboarding({ k: 6, seed: 3, now: NOW });
  assert.equal(items.length, 6);
  assert.equal(new Set(items.map(({ id }) => id)).size, 6);
  assert.equal(Object.keys(items[0].fields).length, nf.info.columns.length);
  assert.deepEqual(nf.onboarding({ k: 6, seed: 3, now: NOW }), items);
  const westerns = nf.onboarding({ where: 'genres has "Western"', fields: ["genres"], k: 4 });
  assert.ok(westerns.every(({ fields }) => fields.genres.includes("Western")));
  nf.profile.record({ item: items[0].id, kind: "like" });
  assert.ok(nf.onboarding({ k: 6, seed: 3 }).every(({ id }) => id !== items[0].id));
});

test("scenarios: those of open count, also after the engine was replaced", async (t) => {
  const armed = breakable(t, "engine_recommend");
  const scenarios = {
    home: { k: 7, caps: { director: 1 }, where: { ">=": [{ field: "year" }, 1990] }, halflives: { play: null } },
    radio: { k: 25 },
  };
  const nf = await openWithTaste(t, { scenarios });
  const home = nf.recommend({ scenario: "home", fields: ["year", "director"], now: NOW });
  assert.equal(home.items.length, 7);
  assert.equal(most(directors(home)), 1);
  assert.ok(home.items.every(({ fields }) => fields.year >= 1990));
  assert.deepEqual(ids(nf.recommend({ ...scenarios.home, now: NOW })), ids(home));
  assert.equal(nf.recommend({ scenario: "home", k: 3, now: NOW }).items.length, 3);
  assert.equal(nf.recommend({ scenario: "home", where: "year == 1979", k: 10_000, now: NOW }).shortfall.requested, 10_000);
  assert.equal(nf.recommend({ scenario: "home", where: "year > 1990 and year < 1990", now: NOW }).shortfall.requested, 7);
  assert.throws(
    () => nf.recommend({ scenario: "hone" }),
    failsWith("E_ARG", ({ message }) => /scenario/.test(message) && /home/.test(message)),
  );
  armed.times = 1;
  assert.deepEqual(ids(nf.recommend({ scenario: "home", now: NOW })), ids(home));
  assert.equal(armed.hits, 1);
});

test("scenarios that are wrong are refused by open, with their place", async () => {
  for (const [scenarios, place] of [
    [{ home: { diversity: { strength: 2 } } }, /home.*diversity.*strength/],
    [{ home: { divresity: { strength: 0.2 } } }, /home.*diversity/],
    [{ home: { floor: NaN } }, /home.*floor/],
    [{ home: { now: 5 } }, /home.*now/],
    [{ home: 7 }, /home/],
    [[], /scenarios/],
  ]) {
    await assert.rejects(
      open(archivePath, { profile: false, scenarios }),
      failsWith("E_ARG", ({ message }) => place.test(message)),
      JSON.stringify(scenarios),
    );
  }
});

test("what a request cannot say is E_ARG with its path", async (t) => {
  const nf = await openWithTaste(t);
  const circle = [];
  circle.push(circle);
  for (const [options, path] of [
    [{ k: 0 }, "k"], [{ k: null }, "k"], [{ seed: -1 }, "seed"], [{ seed: 0.5 }, "seed"], [{ explain: 1001 }, "explain"],
    [{ floor: NaN }, "floor"], [{ floor: 1.1 }, "floor"], [{ focus: "much" }, "focus"], [{ candidates: 0 }, "candidates"],
    [{ diversity: { strength: NaN } }, "diversity.strength"], [{ diversity: { strength: 1.2 } }, "diversity.strength"],
    [{ diversity: {} }, "diversity.strength"], [{ diversity: 0.3 }, "diversity"],
    [{ diversity: { strength: 0.2, method: "mrr" } }, "diversity.method"],
    [{ diversity: { strength: () => 1 } }, "diversity.strength"], [{ diversity: { strength: 0.2, lamdba: 1 } }, "diversity"],
    [{ calibration: { field: "genres", strength: 0.5, target: { Drama: -1 } } }, "calibration.target"],
    [{ calibration: { field: "genres", strength: 0.5, target: { Drama: Infinity } } }, "calibration.target.Drama"],
    [{ caps: { director: 0 } }, "caps"], [{ caps: { director: 1.5 } }, "caps"], [{ caps: [["director", 1]] }, "caps"],
    [{ caps: new Map([["director", 1]]) }, "caps"], [{ caps: { direktor: 1 } }, "director"],
    [{ quotas: [{ where: "year > 2000", least: 0.8, most: 0.2 }] }, "quotas"],
    [{ quotas: [{ least: 0.5 }] }, "quotas[0].where"], [{ quotas: [{ where: "true", least: 2 }] }, "quotas[0].least"],
    [{ boosts: [{ weight: 1 }] }, "boosts[0].where"], [{ boosts: [{ where: "true", value: "year", weight: 1 }] }, "boosts[0].where"],
    [{ boosts: [{ where: "true", weight: -Infinity }] }, "boosts[0].weight"], [{ boosts: [undefined] }, "boosts[0]"],
    [{ boosts: circle }, "boosts"],
    [{ pins: [{ item: "x", position: -1 }] }, "pins[0].position"], [{ pools: [{ items: [] }] }, "pools[0].name"],
    [{ explore: { slots: [] } }, "explore.slots"], [{ explore: { slots: [1, 1] } }, "explore.slots"],
    [{ explore: { slots: [1], temperature: 0 } }, "explore.temperature"],
    [{ rotation: { rate: 0.5 } }, "rotation.hours"], [{ interests: 9 }, "interests"], [{ interests: "many" }, "interests"],
    [{ weights: { tatse: 1 } }, "weights"], [{ windows: [{ days: 0 }] }, "windows[0].days"],
    [{ halflives: { play: 0 } }, "halflives"], [{ halflives: { plya: 3 } }, "halflives"], [{ halflives: { play: NaN } }, "halflives.play"],
    [{ context: { hour: [20] } }, "context"], [{ context: { hour: new Date() } }, "context.hour"],
    [{ freshness: { field: "year", days: 30, weight: 1 } }, "freshness.field"],
    [{ trace: 1 }, "trace"], [{ parts: "yes" }, "parts"], [{ exclude: ["x", 7] }, "exclude"],
  ]) {
    assert.throws(() => nf.recommend(options), failsWith("E_ARG", ({ message }) => message.includes(path)), path);
  }
  const nested = (error) => error.message.includes("strength") && /mean|one of|expected/.test(error.message);
  assert.throws(() => nf.recommend({ diversity: { strenght: 0.2 } }), failsWith("E_ARG", nested));
  assert.throws(() => nf.recommend({ boosts: [{ where: "yaer > 3", weight: 1 }] }), failsWith("E_FILTER"));
  assert.throws(() => nf.recommend({ divresity: {} }), failsWith("E_ARG", ({ details }) => details.nearest === "diversity"));
});

test("profiles by name", async (t) => {
  const nf = await openFilms(t);
  assert.deepEqual(await nf.profiles(), [], "this host keeps none");
  like(nf, "Alien");
  await nf.switchProfile(false);
  assert.equal(nf.profile.entries().length, 0);
  await assert.rejects(nf.switchProfile(""), failsWith("E_ARG"));
});

test("reasons become a sentence in the app's words", () => {
  const reason = (item, kind, share) => ({ item, kind, at: NOW, share });
  const because = [reason("a$&", "like", 0.5), reason("b", "play", 0.3), reason("c", "like", 0.2), reason("d", "like", -0.1)];
  const words = { templates: { like: "Because you liked {items}" }, title: (id) => id.toUpperCase(), locale: "en" };
  assert.equal(sentence(because, words), "Because you liked A$& and C");
  assert.equal(sentence(because, { ...words, most: 1 }), "Because you liked A$&");
  assert.equal(sentence(because, { ...words, templates: { play: "Weil Sie {items} gehört haben" } }), "Weil Sie B gehört haben");
  assert.equal(sentence([reason("d", "like", -0.1)], words), undefined, "what speaks against it is no reason");
  assert.equal(sentence([], words), undefined);
  const wrong = failsWith("E_ARG", ({ message }) => message.includes("{items}"));
  assert.throws(() => sentence(because, { ...words, templates: { like: "Because" } }), wrong);
});
