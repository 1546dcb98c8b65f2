/**
 * Measures nearfield against its peers, in headless Chromium, in Node and natively, and records the result.
 *
 *   node run.mjs                         into record/<date>-<commit>.json, .txt and .svg
 *   node run.mjs --all                   the same with data sets that are only reported
 *   node run.mjs --data glove-100        only these data sets (keys, separated by commas)
 *   node run.mjs --host Node             only this host
 *   node run.mjs --peer engine,hnswlib   only these peers
 *
 * A run that leaves something out is printed, and kept in target/bench/last.*, not recorded. It asserts
 * recall and never time.
 *
 * A data set is one file in data/, a peer one file in peers/ or native/peers/: see clustered.mjs,
 * plain-loop.mjs and native/measure.py for what they export. `make bench` builds what is needed first.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { failures, ratios } from "./lib/compare.mjs";
import { openChromium } from "./lib/host-chromium.mjs";
import { openNode } from "./lib/host-node.mjs";
import { machine } from "./lib/machine.mjs";
import { quantile } from "./lib/measure.mjs";
import { startNative } from "./lib/native.mjs";
import { plot } from "./lib/plot.mjs";
import { K, chosen, prepare } from "./lib/prepare.mjs";
import { text } from "./lib/report.mjs";
import { archiveSizes, codeSizes } from "./lib/sizes.mjs";
import { table } from "./lib/table.mjs";
import { BenchError, CACHE, absolute, readJson, say } from "./lib/tools.mjs";

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

async function measureQueries(set, job, native, host) {
  say(`${set.name}: ${host.name}, queries`);
  const here = job.peers.filter(({ peer }) => peer.hosts?.includes(host.name) ?? true);
  const peers = here.map(({ module, index, variants }) => ({ module, index, variants }));
  const running = native && (await startNative(native.job));
  try {
    const { clockMs, results } = await host.run("queries", { ...job, peers, native: running?.address });
    const known = [...job.peers.map(({ peer }) => peer), ...(native?.peers ?? [])];
    const names = new Map(known.map(({ key, name }) => [key, name]));
    return { clockMs, results: results.map((result) => ({ name: names.get(result.peer), ...result })) };
  } finally {
    await running?.stop();
  }
}

async function measureFirsts(set, job, host) {
  say(`${set.name}: ${host.name}, first answer`);
  const firsts = [];
  const loading = job.peers.filter(({ peer }) => !peer.yardstick && !peer.builds);
  const ways = loading.flatMap((one) => [one, ...(one.peer.streamed ? [{ ...one, streamed: true }] : [])]);
  for (const { peer, module, index, variants, streamed = false } of ways) {
    const [runs, copies] = [[], []];
    for (let i = 0; i < FIRSTS; i += 1) {
      const { steps, copyMs } = await host.run("first", {
        set: job.set,
        k: K,
        module,
        index,
        variant: variants[0],
        streamed,
      });
      runs.push(steps);
      copies.push(copyMs);
    }
    const lastByte = streamed ? peer.streamed.lastByte : peer.lastByte;
    const total = (steps) => steps.reduce((sum, { ms }) => sum + ms, 0);
    const place = (step) => runs[0].findIndex(({ name }) => name === step);
    const medianAfter = (step) => step && quantile(runs.map((steps) => total(steps.slice(place(step) + 1))), 0.5);
    firsts.push({
      peer: peer.key,
      name: streamed ? `${peer.name}, streamed` : peer.name,
      streamed,
      totalMs: quantile(runs.map(total), 0.5),
      copyMs: quantile(copies, 0.5),
      sinceInstantiatedMs: medianAfter(peer.instantiated),
      sinceLastByteMs: medianAfter(lastByte),
      steps: runs[0].map(({ name }, i) => ({ name, ms: quantile(runs.map((steps) => steps[i].ms), 0.5) })),
    });
  }
  return firsts;
}

/** The keys of our own, whose recall is asserted. */
function judged(peers) {
  return peers.filter((peer) => peer.judged).map(({ key }) => key);
}

/** Everything that one data set is measured for, as the record has it. */
async function measureSet(set, peers, wanted, hosts) {
  const { job, native, indexes, digest: base } = await prepare(set, peers, wanted);
  const results = [];
  for (const host of hosts.filter(({ name }) => set.hosts?.includes(name) ?? true)) {
    results.push({
      host: host.name,
      ...(set.measures.includes("queries") ? await measureQueries(set, job, native, host) : {}),
      ...(set.measures.includes("first") ? { firsts: await measureFirsts(set, job, host) } : {}),
    });
  }
  const ours = judged(peers);
  for (const result of results) {
    if (result.results) result.ratios = ratios(result.results, ours);
  }
  const { key, name, metric, rows, dim, recallFloor, targets, filters } = set;
  const measured = { key, name, metric, rows, dim, recallFloor, targets, filters };
  const record = { ...measured, digest: base, indexes, hosts: results };
  return { ...record, table: results.length > 0 ? table(record) : [] };
}

/** Writes a record in its three forms. */
function keep(record, stem) {
  writeFileSync(absolute(`${stem}.json`), `${JSON.stringify(record, null, 1)}\n`);
  writeFileSync(absolute(`${stem}.txt`), text(record));
  const svg = plot(record);
  if (svg !== undefined) writeFileSync(absolute(`${stem}.svg`), svg);
  say(`kept as ${stem}.json, .txt and .svg`);
}

async function main() {
  const string = { type: "string" };
  const options = { all: { type: "boolean" }, data: string, host: string, peer: string };
  const { values } = parseArgs({ options });
  const listed = (name) => values[name]?.split(",");
  const asked = chosen(await exported("data"), listed("data"));
  const sets = asked.filter(({ optional }) => !optional || values.all || values.data !== undefined);
  const peers = await exported("peers");
  const hosts = [];
  for (const { open } of chosen(HOSTS, listed("host"), "name")) hosts.push(await open());
  const from = machine();
  const [code, films] = [await codeSizes(), await archiveSizes(FILMS)];
  try {
    const measured = [];
    for (const set of sets) measured.push(await measureSet(set, peers, listed("peer"), hosts));
    if (JSON.stringify(await codeSizes()) !== JSON.stringify(code)) {
      throw new BenchError("pkg/ was built anew during the run: what was measured is not one thing");
    }
    const record = {
      machine: from,
      hosts: hosts.map(({ name, version }) => ({ name, version })),
      k: K,
      sets: measured,
      sizes: { code, films },
    };
    console.log(`\n${text(record)}`);
    const whole = ["data", "host", "peer"].every((name) => values[name] === undefined);
    keep(record, whole ? `benches/record/${from.date}-${from.commit}` : `${CACHE}/last`);
    const problems = failures(measured, judged(peers));
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
