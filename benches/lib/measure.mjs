/**
 * The measurements themselves. This module and the peers run in a page and in Node alike; what differs
 * comes in as `host`: `url(path)` of a file of the repository, and `read(path)`, its bytes.
 */
import { readNpy } from "./npy.mjs";

/** Queries that one contender answers before the next one's turn: all meet the same weather. */
const TURN = 20;
/** Milliseconds and calls of warm-up, whichever takes longer: optimising compilers need both. */
const WARM_MS = 400;
const WARM_CALLS = 200;

/** The tasks by name, as a job names them. */
export const tasks = { queries, first };

/**
 * Times `k` nearest neighbours over all queries, all contenders in turn.
 *
 * @returns Per contender, in milliseconds: `p50` and `p99` over single calls, `inARow`, the median over
 *   turns of a turn's time per call (finer than the clock where calls are short), and `recall`.
 */
async function queries({ set, k, passes, peers }, host) {
  const asked = readNpy(await host.read(set.queries));
  const truth = JSON.parse(new TextDecoder().decode(await host.read(set.truth)));
  const vectors = truth.map((_, q) => asked.values.slice(q * asked.dim, (q + 1) * asked.dim));
  const contenders = [];
  for (const { module, index, variants } of peers) {
    const peer = (await import(host.url(module))).default;
    const code = await peer.start(host);
    const loaded = await peer.load(code, await host.read(index), set, () => {});
    for (const variant of variants) {
      contenders.push({ peer, loaded, variant, single: [], turns: [], answers: [] });
    }
  }
  for (const { peer, loaded, variant } of contenders) {
    const began = performance.now();
    for (let i = 0; i < WARM_CALLS || performance.now() - began < WARM_MS; i += 1) {
      peer.query(loaded, vectors[i % vectors.length], k, variant);
    }
  }
  for (let pass = 0, turn = 0; pass < passes; pass += 1) {
    for (let start = 0; start < vectors.length; start += TURN, turn += 1) {
      const some = vectors.slice(start, start + TURN);
      // Another one begins each time, so that nobody always follows the same one.
      for (let i = 0; i < contenders.length; i += 1) {
        const contender = contenders[(turn + i) % contenders.length];
        const answers = takeTurn(contender, some, k);
        if (pass === 0) contender.answers.push(...answers);
      }
    }
  }
  return {
    clockMs: clockStep(),
    results: contenders.map(({ peer, loaded, variant, single, turns, answers }) => ({
      peer: peer.key,
      variant: variant.name,
      calls: single.length,
      p50: quantile(single, 0.5),
      p99: quantile(single, 0.99),
      inARow: quantile(turns, 0.5),
      recall: recall(answers.map((answer) => peer.rows(loaded, answer)), truth),
    })),
  };
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
 * @returns The steps in order, `{name, ms}`; the last is the answer.
 */
async function first({ set, k, module, index, variant }, host) {
  const asked = readNpy(await host.read(set.queries));
  const vector = asked.values.slice(0, asked.dim);
  const peer = (await import(host.url(module))).default;
  const code = await peer.start(host);
  const bytes = await host.read(index);
  const steps = [];
  let last = performance.now();
  const mark = (name) => {
    const now = performance.now();
    steps.push({ name, ms: now - last });
    last = performance.now();
  };
  const loaded = await peer.load(code, bytes, set, mark);
  const answer = peer.query(loaded, vector, k, variant);
  mark("answer");
  return { steps, rows: peer.rows(loaded, answer) };
}

/** The value below which a share `q` of the samples lies; sorts a copy. */
export function quantile(samples, q) {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

function recall(lists, truth) {
  let found = 0;
  let wanted = 0;
  for (const [q, rows] of lists.entries()) {
    const right = new Set(truth[q]);
    wanted += right.size;
    found += rows.filter((row) => right.has(row)).length;
  }
  return found / wanted;
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
