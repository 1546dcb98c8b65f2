/**
 * What a slate costs, in a page: everything that a request may ask for at once, beside the plain loop's one
 * bare query; a like recorded and the next slate; composing by a determinantal point process; and a history
 * of ten thousand interactions folded in.
 */
import loop from "../peers/plain-loop.mjs";
import { clockStep, quantile } from "./measure.mjs";

export const tasks = { slate };

/** Everything at once: three interests, a condition, caps, calibration, reasons. */
const FULL = {
  k: 20,
  where: "year >= 1950 and not explicit",
  interests: 3,
  caps: { artist: 2, label: 4 },
  calibration: { field: "genres", strength: 0.3 },
  explain: 3,
};
/** From 500 candidates, so that what diversity adds can be told. */
const PLAIN_500 = { k: 20, candidates: 500, floor: 1e-9 };
const DPP_500 = { ...PLAIN_500, diversity: { method: "dpp", strength: 0.3 } };
const MMR_500 = { ...PLAIN_500, diversity: { method: "mmr", strength: 0.3 } };

const DAY = 86_400_000;

/** Times each of some ways in turn, so that what the machine does meanwhile falls on all alike. */
function inTurns(ways, rounds) {
  const times = ways.map(() => []);
  for (let i = 0; i < rounds; i += 1) {
    for (const [w, way] of ways.entries()) {
      const began = performance.now();
      way(i);
      times[w].push(performance.now() - began);
    }
  }
  return times.map((ms) => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) }));
}

async function slate({ n, archive, vectors, few }, host) {
  const { open } = await import(host.url("pkg/dist/index.js"));
  const nf = await open(host.url(archive), { profile: false });
  const load = async (path) => loop.load(undefined, await host.read(path), { metric: "cosine" }, () => {});
  const base = await load(vectors);
  const small = await load(few);
  const now = Date.UTC(2026, 0, 1);
  const row = (i) => base.values.subarray(i * base.dim, (i + 1) * base.dim);

  // A history around three items: 200 things done, some of them stated.
  const around = [17, Math.floor(n / 2), n - 3].map((i) => nf.similar(`item-${i}`, { k: 80 }).items);
  let recorded = 0;
  const record = (kind) => {
    const { id } = around[recorded % 3][Math.floor(recorded / 3) % 80];
    nf.profile.record({ item: id, kind, at: now - DAY + recorded });
    recorded += 1;
  };
  for (let i = 0; i < 200; i += 1) record(i % 5 === 0 ? "like" : "play");

  const full = () => nf.recommend({ ...FULL, now });
  const ways = [
    full,
    () => {
      record("play");
      full();
    },
    (i) => loop.query(base, row((i * 37) % n), 10),
    () => nf.recommend({ k: 20, now }),
    () => nf.recommend({ ...PLAIN_500, now }),
    () => nf.recommend({ ...DPP_500, now }),
    () => nf.recommend({ ...MMR_500, now }),
  ];
  const answer = full();
  if (answer.items.length !== FULL.k || answer.interests?.length !== 3) {
    throw new Error(`the slate has ${answer.items.length} items of ${answer.interests?.length} interests`);
  }
  // Each round records one more: few rounds, so that the history stays near 200.
  inTurns(ways, 20);
  const [fullMs, next, plainLoop, bare, plain, dpp, mmr] = inTurns(ways, 100);

  // A long history: what one more interaction costs is the fold-in of all of them.
  nf.dispose();
  const long = await open(host.url(archive), { profile: false });
  for (let i = 0; i < 10_000; i += 1) {
    long.profile.record({ item: `item-${(i * 7919) % n}`, kind: "play", at: now - DAY + i });
  }
  let more = 0;
  const onceMore = () => {
    more += 1;
    long.profile.record({ item: `item-${(more * 31) % n}`, kind: "play", at: now - DAY / 2 + more });
    long.recommend({ k: 1, now });
  };
  const longWays = [onceMore, () => long.recommend({ k: 1, now }), (i) => loop.query(small, row(i), 10)];
  inTurns(longWays, 10);
  const [folded, kept, smallLoop] = inTurns(longWays, 40);
  long.dispose();
  return {
    clockMs: clockStep(), full: fullMs, next, plainLoop, bare, plain, dpp, mmr, folded, kept, smallLoop,
  };
}

