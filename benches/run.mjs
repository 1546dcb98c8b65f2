/**
 * Measures nearfield against its peers, in headless Chromium and in Node, and records the result.
 *
 *   node run.mjs                         everything, into record/<date>-<commit>.json and .txt
 *   node run.mjs --data glove-64         only these data sets (keys, separated by commas)
 *   node run.mjs --host Node             only this host
 *   node run.mjs --peer engine           only these peers
 *
 * A run that leaves something out is printed, not recorded. It asserts recall and never time.
 *
 * A data set is one file in data/, a peer one file in peers/: see clustered.mjs and plain-loop.mjs for
 * what they export. `make bench` builds what is needed first.
 */
import { readdirSync, statSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { truth } from "./lib/exact.mjs";
import { openChromium } from "./lib/host-chromium.mjs";
import { openNode } from "./lib/host-node.mjs";
import { machine } from "./lib/machine.mjs";
import { quantile } from "./lib/measure.mjs";
import { atEqualRecall, text } from "./lib/report.mjs";
import { archiveSizes, codeSizes } from "./lib/sizes.mjs";
import { BenchError, absolute, digest, say } from "./lib/tools.mjs";

const K = 10;
/** Repetitions of the way to the first answer, each in a new page or process. */
const FIRSTS = 7;
const FILMS = "target/films.nf";
const HOSTS = [
  { name: "Chromium", open: openChromium },
  { name: "Node", open: openNode },
];

/** The default exports of a folder's modules, with their paths. */
async function exported(folder) {
  const names = readdirSync(absolute(`benches/${folder}`)).filter((name) => name.endsWith(".mjs"));
  return Promise.all(
    names.sort().map(async (name) => ({
      ...(await import(`./${folder}/${name}`)).default,
      module: `benches/${folder}/${name}`,
    })),
  );
}

/** Those whose key (or name) is in a list separated by commas; all of them without a list. */
function chosen(all, list, key = "key") {
  if (list === undefined) return all;
  const wanted = list.split(",");
  const unknown = wanted.filter((name) => !all.some((one) => one[key] === name));
  if (unknown.length > 0) {
    throw new BenchError(`no ${unknown.join(", ")} among ${all.map((one) => one[key]).join(", ")}`);
  }
  return all.filter((one) => wanted.includes(one[key]));
}

/** Data, true answers and indexes of one data set. */
async function prepare(set, allPeers) {
  const peers = allPeers.filter(({ key }) => set.peers?.includes(key) ?? true);
  const files = await set.prepare();
  const measuresQueries = set.measures.includes("queries");
  const job = {
    set: {
      metric: set.metric,
      rows: set.rows,
      dim: set.dim,
      queries: files.queries,
      truth: measuresQueries ? await truth(set, files, K) : undefined,
    },
    k: K,
    passes: set.passes,
    peers: [],
  };
  const indexes = [];
  for (const peer of peers) {
    const index = await peer.prepare(set, files);
    job.peers.push({ module: peer.module, index, variants: peer.variants(set), peer });
    const sections = peer.key === "nearfield" ? (await archiveSizes(index)).sections : undefined;
    indexes.push({ peer: peer.key, name: peer.name, bytes: statSync(absolute(index)).size, sections });
  }
  return { job, indexes, digest: await digest(files.base) };
}

async function measureQueries(set, job, host) {
  say(`${set.name}: ${host.name}, queries`);
  const peers = job.peers.map(({ module, index, variants }) => ({ module, index, variants }));
  const { clockMs, results } = await host.run("queries", { ...job, peers });
  const byKey = new Map(job.peers.map(({ peer }) => [peer.key, peer]));
  const named = results.map((result) => ({ name: byKey.get(result.peer).name, ...result }));
  return { clockMs, results: named, ratios: ratios(named, byKey) };
}

/** Each peer's p50 over each of ours, where the peer finds at least as much. */
function ratios(results, peers) {
  const ours = results.filter(({ peer }) => peers.get(peer).judged);
  const others = [...new Set(results.map(({ peer }) => peer))].filter((key) => !peers.get(key).judged);
  return ours.flatMap((own) =>
    others.map((key) => {
      const equal = atEqualRecall(results.filter(({ peer }) => peer === key), own);
      const ratio = equal && equal.p50 / own.p50;
      return { peer: peers.get(key).name, variant: equal?.variant, against: own.name, ratio };
    }),
  );
}

async function measureFirsts(set, job, host) {
  say(`${set.name}: ${host.name}, first answer`);
  const firsts = [];
  for (const { peer, module, index, variants } of job.peers) {
    const runs = [];
    for (let i = 0; i < FIRSTS; i += 1) {
      const { steps } = await host.run("first", { set: job.set, k: K, module, index, variant: variants[0] });
      runs.push(steps);
    }
    const total = (steps) => steps.reduce((sum, { ms }) => sum + ms, 0);
    const lastByte = runs[0].findIndex(({ name }) => name === peer.lastByte);
    firsts.push({
      peer: peer.key,
      name: peer.name,
      totalMs: quantile(runs.map(total), 0.5),
      sinceLastByteMs: peer.lastByte && quantile(runs.map((steps) => total(steps.slice(lastByte + 1))), 0.5),
      steps: runs[0].map(({ name }, i) => ({ name, ms: quantile(runs.map((steps) => steps[i].ms), 0.5) })),
    });
  }
  return firsts;
}

/** What a run asserts: that nobody's answers got worse. */
function failures(sets, peers) {
  const problems = [];
  for (const { set, hosts } of sets) {
    for (const { host, results = [] } of hosts) {
      for (const { peer, name, recall } of results) {
        const floor = peers.find(({ key }) => key === peer).judged ? set.recallFloor : 0;
        if (recall < floor) problems.push(`${set.name}, ${host}: recall of ${name} is ${recall}, below ${floor}`);
        // The loop is exact but for its rounding: if it were not, the measuring would be wrong.
        if (peer === "plain-loop" && recall < 0.999) {
          problems.push(`${set.name}, ${host}: the plain loop's recall is ${recall}: the measurement is wrong`);
        }
      }
    }
  }
  return problems;
}

async function main() {
  const string = { type: "string" };
  const { values } = parseArgs({ options: { data: string, host: string, peer: string } });
  const sets = chosen(await exported("data"), values.data);
  const peers = chosen(await exported("peers"), values.peer);
  const hosts = [];
  for (const { open } of chosen(HOSTS, values.host, "name")) hosts.push(await open());
  const from = machine();
  const code = await codeSizes();
  try {
    const measured = [];
    for (const set of sets) {
      const { job, indexes, digest: base } = await prepare(set, peers);
      const results = [];
      for (const host of hosts) {
        results.push({
          host: host.name,
          ...(set.measures.includes("queries") ? await measureQueries(set, job, host) : {}),
          ...(set.measures.includes("first") ? { firsts: await measureFirsts(set, job, host) } : {}),
        });
      }
      measured.push({ set, indexes, base, hosts: results });
    }
    if (JSON.stringify(await codeSizes()) !== JSON.stringify(code)) {
      throw new BenchError("pkg/ was built anew during the run: what was measured is not one thing");
    }
    const record = {
      machine: from,
      hosts: hosts.map(({ name, version }) => ({ name, version })),
      k: K,
      sets: measured.map(({ set, indexes, base, hosts: results }) => ({
        key: set.key,
        name: set.name,
        metric: set.metric,
        rows: set.rows,
        dim: set.dim,
        digest: base,
        indexes,
        hosts: results,
      })),
      sizes: { code, films: await archiveSizes(FILMS) },
    };
    const report = text(record);
    console.log(`\n${report}`);
    if (Object.keys(values).length === 0) {
      const stem = `benches/record/${from.date}-${from.commit}`;
      writeFileSync(absolute(`${stem}.json`), `${JSON.stringify(record, null, 1)}\n`);
      writeFileSync(absolute(`${stem}.txt`), report);
      say(`recorded as ${stem}.json and .txt`);
    }
    const problems = failures(measured, peers);
    for (const problem of problems) console.error(`bench: ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  } finally {
    for (const host of hosts) await host.close();
  }
}

await main().catch((error) => {
  if (!(error instanceof BenchError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
});
