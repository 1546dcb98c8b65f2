/**
 * The predicate's measurement, in a page. Both contenders answer the same questions in turn: how many
 * items there are for which five terms hold.
 */
import { items } from "./catalog.mjs";
import { clockStep, quantile } from "./measure.mjs";

/** Questions of one contender before the other one's turn, and turns. */
const TURN = 8;
const TURNS = 12;

/** Five terms. Strings, so that the engine compiles them anew for each set of parameters. */
const WHERE =
  'genres has $genre and year between $from and $to and not explicit and rating >= $least and label != "label 0"';

/**
 * The same as a loop over objects: the test is a function of the page's own, its terms in the order in
 * which they are written, and the first that fails ends it.
 */
function countLoop(objects, { genre, from, to, least }) {
  let count = 0;
  for (const item of objects) {
    if (
      item.genres.includes(genre) &&
      item.year !== null &&
      item.year >= from &&
      item.year <= to &&
      !item.explicit &&
      item.rating >= least &&
      item.label !== "label 0"
    ) {
      count += 1;
    }
  }
  return count;
}

/** The kindest order for the loop: the terms that cost least and fail most go first. */
function countLoopOrdered(objects, { genre, from, to, least }) {
  let count = 0;
  for (const item of objects) {
    if (
      item.year >= from &&
      item.year <= to &&
      item.year !== null &&
      item.rating >= least &&
      !item.explicit &&
      item.label !== "label 0" &&
      item.genres.includes(genre)
    ) {
      count += 1;
    }
  }
  return count;
}

/** Questions that differ from each other, more of them than the engine keeps answers. */
function questions() {
  const genres = ["jazz", "blues", "rock", "ambient"];
  return Array.from({ length: TURN * TURNS }, (_, i) => ({
    genre: genres[i % genres.length],
    from: 1945 + ((i * 7) % 40),
    to: 1960 + ((i * 7) % 40),
    least: ((i * 3) % 50) / 10,
  }));
}

export const tasks = { predicate };

async function predicate({ n, archive }, host) {
  const { open } = await import(host.url("pkg/dist/index.js"));
  const nf = await open(host.url(archive), { profile: false });
  const objects = [...items(n)];
  const asked = questions();
  const contenders = [
    { name: "bitmap", ask: (params) => nf.count({ where: WHERE, params }), ms: [] },
    { name: "loop", ask: (params) => countLoop(objects, params), ms: [] },
    { name: "loop, cheapest first", ask: (params) => countLoopOrdered(objects, params), ms: [] },
  ];
  for (const { ask } of contenders) asked.slice(0, 3 * TURN).forEach(ask);
  const counts = asked.map(() => []);
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (let c = 0; c < contenders.length; c += 1) {
      const { ask, ms } = contenders[(turn + c) % contenders.length];
      for (let i = turn * TURN; i < (turn + 1) * TURN; i += 1) {
        const began = performance.now();
        const count = ask(asked[i]);
        ms.push(performance.now() - began);
        counts[i].push(count);
      }
    }
  }
  const wrong = counts.findIndex((all) => all.some((count) => count !== all[0]));
  if (wrong >= 0) throw new Error(`${JSON.stringify(asked[wrong])}: ${counts[wrong].join(", ")} items`);
  const again = [];
  for (let i = 0; i < 200; i += 1) {
    const began = performance.now();
    nf.count({ where: WHERE, params: asked[0] });
    again.push(performance.now() - began);
  }
  return {
    clockMs: clockStep(),
    selected: counts.reduce((sum, [count]) => sum + count, 0) / counts.length,
    results: contenders.map(({ name, ms }) => ({ name, p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) })),
    keptMs: quantile(again, 0.5),
  };
}
