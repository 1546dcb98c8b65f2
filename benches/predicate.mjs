/**
 * Measures the language in headless Chromium: a condition of five terms over a catalog to the set of its
 * items, against the same test in a loop over JavaScript objects in the same page. Then, what columns take
 * beside the same fields as JSON. What it prints is kept in benches/record/.
 *
 *   node predicate.mjs
 *
 * Asserts that all contenders count the same items, and never time.
 */
import { createWriteStream, readFileSync } from "node:fs";
import { once } from "node:events";
import { gunzipSync, gzipSync } from "node:zlib";
import { items } from "./lib/catalog.mjs";
import { recorded } from "./lib/record.mjs";
import { CACHE, absolute, cached, nearfield } from "./lib/tools.mjs";

const SIZES = [20_000, 1_000_000];
const FILMS = { archive: "target/films.nf", source: "www/data/films.jsonl.gz" };

/** The archive of a generated catalog. Its vectors are as short as can be: they are not asked for. */
async function archive(n) {
  const table = await cached(`catalog-${n}.jsonl`, async (path) => {
    const file = createWriteStream(absolute(path));
    for (const item of items(n)) {
      const { year, ...rest } = item;
      const line = JSON.stringify(year === null ? rest : item);
      if (!file.write(`${line}\n`)) await once(file, "drain");
    }
    file.end();
    await once(file, "close");
  });
  const vectors = await cached(`catalog-${n}.npy`, async (path) => {
    nearfield("generate", "isotropic-v1", "-n", String(n), "--dim", "2", "-o", absolute(path));
  });
  // Built anew in every run: it is part of what is measured.
  const path = `${CACHE}/catalog-${n}.nf`;
  nearfield("build", absolute(table), "--vectors", absolute(vectors), "-o", absolute(path));
  return path;
}

const ms = (x) => x.toFixed(3).padStart(9);
const bytes = (x) => x.toLocaleString("en").padStart(12);

async function speed(host, print) {
  for (const n of SIZES) {
    const job = { n, archive: await archive(n), tasks: "benches/lib/predicate-task.mjs" };
    const { clockMs, results, selected, keptMs } = await host.run("predicate", job);
    const [own] = results;
    print(`\n${n.toLocaleString("en")} items, ${Math.round(selected).toLocaleString("en")} selected on average`);
    print(`milliseconds (clock: ${(clockMs * 1000).toFixed(0)} microseconds)      p50       p99`);
    for (const { name, p50, p99 } of results) {
      const ratio = name === own.name ? "" : `  ${(p50 / own.p50).toFixed(1)} times the bitmap`;
      print(`${name.padEnd(38)}${ms(p50)} ${ms(p99)}${ratio}`);
    }
    print(`${"bitmap, the same question again".padEnd(38)}${ms(keptMs)}`);
  }
}

/** What columns take, beside the JSON of the same fields. */
function sizes(print) {
  const { columns } = JSON.parse(nearfield("inspect", absolute(FILMS.archive), "--json"));
  const packed = columns.filter(({ kind }) => kind !== "text");
  const names = new Set(packed.map(({ name }) => name));
  const lines = gunzipSync(readFileSync(absolute(FILMS.source))).toString().trim().split("\n");
  const objects = lines.map((line) =>
    Object.fromEntries(Object.entries(JSON.parse(line)).filter(([name]) => names.has(name))),
  );
  const json = Buffer.from(JSON.stringify(objects));
  const sum = (key, of) => of.reduce((total, column) => total + column[key], 0);
  const [codes, dictionaries] = [sum("packed_bytes", packed), sum("dictionary_bytes", packed)];
  const gzip = gzipSync(json, { level: 9 }).length;
  print(`\nfilms: ${[...names].join(", ")} of ${objects.length.toLocaleString("en")} items, bytes`);
  const row = (name, size) =>
    print(`${name.padEnd(34)}${bytes(size)}  ${(size / json.length).toFixed(3)} of the JSON`);
  row("JSON", json.length);
  row("JSON after gzip", gzip);
  row("columns", codes);
  row("dictionaries of their strings", dictionaries);
  print(`${"texts (other columns)".padEnd(34)}${bytes(sum("text_bytes", columns))}`);
  print(`columns with dictionaries are ${((codes + dictionaries) / gzip).toFixed(2)} of the gzipped JSON`);
}

await recorded("predicate", "language", async (host, print) => {
  sizes(print);
  await speed(host, print);
});
