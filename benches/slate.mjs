/**
 * Measures slates in headless Chromium: a request with everything in it against the plain loop's one bare
 * query over the same vectors, in the same page. What it prints is kept in benches/record/.
 *
 *   node slate.mjs
 *
 * Never asserts time.
 */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import { slateItems } from "./lib/catalog.mjs";
import { recorded } from "./lib/record.mjs";
import { CACHE, absolute, cached, nearfield } from "./lib/tools.mjs";

const N = 100_000;
const FEW = 10_000;
const DIM = 64;

const vectors = (n) =>
  cached(`slate-${n}.npy`, async (path) => {
    nearfield("generate", "clustered-v1", "-n", String(n), "--dim", String(DIM), "-o", absolute(path));
  });

async function archive() {
  const table = await cached(`slate-${N}.jsonl`, async (path) => {
    const file = createWriteStream(absolute(path));
    for (const item of slateItems(N)) {
      if (!file.write(`${JSON.stringify(item)}\n`)) await once(file, "drain");
    }
    file.end();
    await once(file, "close");
  });
  const from = await vectors(N);
  // Built anew in every run: it is part of what is measured.
  const path = `${CACHE}/slate-${N}.nf`;
  nearfield("build", absolute(table), "--vectors", absolute(from), "--prior", "plays", "-o", absolute(path));
  return path;
}

/** A row: what it took, as a ratio to something, and the target. */
function line(name, { p50, p99 }, [ratio, to], target = "") {
  const ms = (x) => x.toFixed(3).padStart(8);
  return `${name.padEnd(44)}${ms(p50)}${ms(p99)}  ${ratio.toFixed(3).padStart(7)} ${to.padEnd(18)}${target}`;
}

await recorded("slate", "slates", async (host, print) => {
  const job = {
    n: N,
    archive: await archive(),
    vectors: await vectors(N),
    few: await vectors(FEW),
    tasks: "benches/lib/slate-task.mjs",
  };
  const r = await host.run("slate", job);
  print(`${N.toLocaleString("en")} items of ${DIM} dimensions`);
  print(`milliseconds (clock: ${(r.clockMs * 1000).toFixed(0)} microseconds)`.padEnd(47) + "p50     p99");
  const row = (...told) => print(line(...told));
  const loop = r.plainLoop.p50;
  const over = (x) => [x / loop, "of the loop"];
  row("plain loop, one bare query", r.plainLoop, over(loop));
  row("everything at once", r.full, over(r.full.p50), "at most 0.333; p99 at most 8 ms");
  row("one more interaction, everything again", r.next, [r.next.p50 / r.full.p50, "of everything"], "at most 1.5");
  row("by taste alone", r.bare, over(r.bare.p50));
  row("500 candidates in the order of scores", r.plain, over(r.plain.p50));
  const [dpp, mmr] = [r.dpp.p50 - r.plain.p50, r.mmr.p50 - r.plain.p50];
  row("the same by DPP: more by", { p50: dpp, p99: r.dpp.p99 - r.plain.p99 }, over(dpp), "at most 0.05");
  row("the same by MMR: more by", { p50: mmr, p99: r.mmr.p99 - r.plain.p99 }, over(mmr));
  const few = r.smallLoop.p50;
  const folded = r.folded.p50 - r.kept.p50;
  row(`plain loop over ${FEW.toLocaleString("en")}`, r.smallLoop, over(few));
  row(
    "10,000 interactions folded in",
    { p50: folded, p99: r.folded.p99 - r.kept.p99 },
    [folded / few, "of that loop"],
    "at most 20",
  );
});
