/** nearfield as an application uses it: through the npm package, as it was built in pkg/. */

const ENTRY = { node: "pkg/dist/index.node.js", chromium: "pkg/dist/index.js" };
const MODULES = ["pkg/wasm/nearfield_relaxed_bg.wasm", "pkg/wasm/nearfield_bg.wasm"];

/** The module that the host gets: Node 20 knows no relaxed SIMD. */
export async function wasmFor(host) {
  const relaxed = await host.read(MODULES[0]);
  return WebAssembly.validate(relaxed) ? relaxed : host.read(MODULES[1]);
}

const archives = new Map();

export default {
  key: "nearfield",
  name: "nearfield, npm package",
  /** Below the data set's floor of recall the benchmark fails. */
  judged: true,
  /** As an archive's builder meant it, and through all items. */
  variants: () => [{ name: "" }, { name: "exhaustive", exhaustive: true, recall: "exhaustive" }],

  /** One archive for all that measure it, built anew in every run: it is part of what is measured. */
  prepare(set, files) {
    if (!archives.has(set.key)) archives.set(set.key, build(set, files));
    return archives.get(set.key);
  },

  async start(host) {
    const { open } = await import(host.url(ENTRY[host.name]));
    return { open, wasm: await wasmFor(host) };
  },

  async load({ open, wasm }, bytes, _, mark) {
    const nf = await open(bytes, { wasm, profile: false, storage: "memory" });
    mark("open: compile, instantiate, copy, open, verify");
    return nf;
  },

  query: (nf, vector, k, { recall }) => nf.similar(vector, recall === undefined ? { k } : { k, recall }),

  rows: (_, { items }) => items.map(({ id }) => Number(id)),
};

/** Of nothing but the vectors, and what filters go by; the ids are the row numbers. */
async function build({ key, name, metric, rows, filters, build: options = [] }, files) {
  const { writeFileSync } = await import("node:fs");
  const { sieve } = await import("../lib/sieve.mjs");
  const { CACHE, absolute, nearfield, say } = await import("../lib/tools.mjs");
  const stem = `${CACHE}/archive-${key}`;
  const numbers = filters && sieve(rows);
  const item = (row) => (numbers ? `{"id":"${row}","sieve":${numbers[row]}}\n` : `{"id":"${row}"}\n`);
  writeFileSync(absolute(`${stem}.jsonl`), Array.from({ length: rows }, (_, row) => item(row)).join(""));
  say(`${name}: nearfield builds its archive`);
  nearfield(
    ...["build", `${stem}.jsonl`, "--vectors", files.base, "--metric", metric.replace("_", "-")],
    ...["-o", `${stem}.nf`, "--json", ...options],
  );
  return `${stem}.nf`;
}
