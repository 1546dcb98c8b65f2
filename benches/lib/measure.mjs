/**
 * The measurements themselves. This module and the peers run in a page and in Node alike; what differs
 * comes in as `host`: `url(path)` of a file of the repository, and `read(path)`, its bytes.
 */
import { recallOf } from "./compare.mjs";
import { readNpy } from "./npy.mjs";

/**
 * Queries that one contender answers before the next one's turn: so few that all meet the same weather, and so
 * many that what the one before left in the caches is no matter.
 */
export const TURN = 100;
/** Milliseconds and calls of warm-up, whichever takes longer: optimising compilers need both. */
const WARM_MS = 400;
const WARM_CALLS = 200;
/** But no longer than this: what takes as long has been optimised long before. */
const WARM_MOST_MS = 3000;
/** Contenders slower than this many milliseconds a query leave out turns, but never more than four of five. */
const SLOW_MS = 10;
const LEAST_SHARE = 5;
/** A median of fewer steps of the clock than these is rounded too much to compare by. */
const CLOCK_STEPS = 20;

/** The tasks by name, as a job names them. */
export const tasks = { queries, first };

/**
 * Times `k` nearest neighbours over all queries, all contenders in turn.
 *
 * @param native - Where native peers answer, if they do.
 * @returns Per contender, in milliseconds: `p50` and `p99` over single calls, `inARow`, the median over
 *   turns of a turn's time per call (finer than the clock where calls are short), and `ms`, which of p50
 *   and `inARow` to compare by; and `recall` over the queries it was asked, which yardsticks do not have.
 */
async function queries({ set, k, passes, peers, native }, host) {
  const asked = readNpy(await host.read(set.queries));
  const vectors = Array.from({ length: asked.rows }, (_, q) =>
    asked.values.slice(q * asked.dim, (q + 1) * asked.dim),
  );
  const contenders = [];
  for (const { module, index, variants } of peers) {
    const peer = (await import(host.url(module))).default;
    const code = await peer.start(host);
    const loaded = await peer.load(code, await host.read(index), set, () => {});
    for (const variant of variants) {
      const contender = { peer, loaded, variant, single: [], turns: [], answers: new Map() };
      contender.take = (start, end) => takeTurn(contender, vectors.slice(start, end), k);
      contenders.push(contender);
    }
  }
  for (const contender of contenders) contender.every = warmUp(contender, vectors, k);
  if (native !== undefined) contenders.push(...(await nativeContenders(native)));
  for (let pass = 0, turn = 0; pass < passes; pass += 1) {
    for (let start = 0; start < vectors.length; start += TURN, turn += 1) {
      const end = Math.min(start + TURN, vectors.length);
      // Another one begins each time, so that nobody always follows the same one.
      for (let i = 0; i < contenders.length; i += 1) {
        const contender = contenders[(turn + i) % contenders.length];
        if (turn % contender.every > 0) continue;
        const answers = await contender.take(start, end);
        for (const [j, answer] of answers.entries()) contender.answers.set(start + j, answer);
      }
    }
  }
  const truths = await readTruths(set.truths, host);
  const clockMs = clockStep();
  const told = contenders.filter(({ isRepeated }) => !isRepeated);
  const results = told.map(({ peer, loaded, variant, single, turns, answers }) => {
    const [p50, inARow] = [quantile(single, 0.5), quantile(turns, 0.5)];
    // A native peer's single calls pay for being called from Python, its turns in one call do not.
    const ms = peer.native ? Math.min(p50, inARow) : p50 < CLOCK_STEPS * clockMs ? inARow : p50;
    return {
      peer: peer.key,
      variant: variant.name,
      exhaustive: variant.exhaustive,
      below: variant.below,
      calls: single.length,
      p50,
      p99: quantile(single, 0.99),
      inARow,
      ms,
      recall: peer.yardstick ? undefined : recall(peer, loaded, answers, truths[variant.below ?? 100], k),
    };
  });
  return { clockMs, results };
}

/** @returns Every how manieth turn the contender takes. */
function warmUp({ peer, loaded, variant }, vectors, k) {
  const began = performance.now();
  let calls = 0;
  let ms = 0;
  while ((calls < WARM_CALLS || ms < WARM_MS) && ms < WARM_MOST_MS) {
    peer.query(loaded, vectors[calls % vectors.length], k, variant);
    calls += 1;
    ms = performance.now() - began;
  }
  return Math.min(LEAST_SHARE, Math.ceil(ms / calls / SLOW_MS));
}

/** True neighbours by the share of the items, in per cent, that passes a filter. */
async function readTruths(paths, host) {
  const read = async ([below, path]) => [below, JSON.parse(new TextDecoder().decode(await host.read(path)))];
  return Object.fromEntries(await Promise.all(Object.entries(paths).map(read)));
}

function recall(peer, loaded, answers, truth, k) {
  const asked = [...answers.keys()];
  return recallOf(
    asked.map((q) => peer.rows(loaded, answers.get(q))),
    asked.map((q) => truth[q]),
    k,
  );
}

/**
 * Native peers answer and time in a process of their own, a turn at a time like all others: each variant twice
 * a round, query by query and all in one call, and both count as one contender.
 */
async function nativeContenders(address) {
  const ask = async (path) => (await fetch(address + path)).json();
  const told = await ask("");
  return told.flatMap(({ peer: key, variant: name }, n) => {
    const peer = { key, native: true, rows: (_, answer) => answer };
    const contender = { peer, variant: { name }, every: 1, single: [], turns: [], answers: new Map() };
    const take = (list, query) => async (from, to) => {
      const { ms, rows } = await ask(`${n}?from=${from}&to=${to}${query}`);
      list.push(...ms);
      return rows;
    };
    return [
      { ...contender, take: take(contender.single, "") },
      { ...contender, take: take(contender.turns, "&together=1"), isRepeated: true },
    ];
  });
}

function takeTurn({ peer, loaded, variant, single, turns }, vectors, k) {
  const answers = [];
  const began = performance.now();
  let last = began;
  for (const vector of vectors) {
    answers.push(peer.query(loaded, vector, k, variant));
    const now = performance.now();
    single.push(now - last);
    last = now;
  }
  turns.push((last - began) / vectors.length);
  return answers;
}

/**
 * Times the way from an index's bytes in an ArrayBuffer to the first answer, in a host that has not run
 * any of it before. JavaScript is imported and wasm bytes are fetched before the clock starts.
 *
 * @returns `steps` in order, `{name, ms}`, the last being the answer; and `copyMs`, what it takes to copy those
 *   bytes to a new ArrayBuffer.
 */
async function first({ set, k, module, index, variant, streamed }, host) {
  const asked = readNpy(await host.read(set.queries));
  const vector = asked.values.slice(0, asked.dim);
  const peer = (await import(host.url(module))).default;
  const code = await peer.start(host);
  const bytes = await host.read(index);
  const copying = performance.now();
  bytes.slice(0);
  const copyMs = performance.now() - copying;
  const steps = [];
  let last = performance.now();
  const mark = (name) => {
    const now = performance.now();
    steps.push({ name, ms: now - last });
    last = performance.now();
  };
  const loaded = await (streamed ? peer.streamed : peer).load(code, bytes, set, mark);
  const answer = peer.query(loaded, vector, k, variant);
  mark("answer");
  return { steps, copyMs, rows: peer.rows(loaded, answer) };
}

/** The value below which a share `q` of the samples lies; sorts a copy. */
export function quantile(samples, q) {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** The smallest step of the clock: a page's is coarse on purpose. */
export function clockStep() {
  let smallest = Infinity;
  for (let i = 0; i < 50; i += 1) {
    const began = performance.now();
    let now = began;
    while (now === began) now = performance.now();
    smallest = Math.min(smallest, now - began);
  }
  return smallest;
}
