/** nearfield as an application uses it: through the npm package, as it was built in pkg/. */
import { readNpy } from "../lib/npy.mjs";

const ENTRY = { node: "pkg/dist/index.node.js", chromium: "pkg/dist/index.js" };
export const WASM = "pkg/wasm/nearfield_bg.wasm";

export default {
  key: "nearfield",
  name: "nearfield, npm package",
  /** Below the data set's floor of recall the benchmark fails. */
  judged: true,
  variants: () => [{ name: "" }],

  /** An archive of nothing but the vectors; the ids are the row numbers. */
  async prepare(set, files) {
    const { closeSync, openSync, readFileSync, writeFileSync, writeSync } = await import("node:fs");
    const { CACHE, absolute, digest, nearfield, say } = await import("../lib/tools.mjs");
    const stem = `${CACHE}/archive-${await digest(files.base)}-${set.metric}`;
    const bytes = readFileSync(absolute(files.base));
    const { rows } = readNpy(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    writeFileSync(
      absolute(`${stem}.jsonl`),
      Array.from({ length: rows }, (_, row) => `{"id":"${row}"}\n`).join(""),
    );
    say(`${set.name}: nearfield builds its archive`);
    nearfield(
      ...["build", `${stem}.jsonl`, "--vectors", files.base, "--metric", set.metric.replace("_", "-")],
      ...["-o", `${stem}.nf`, "--json"],
    );
    return `${stem}.nf`;
  },

  async start(host) {
    const { open } = await import(host.url(ENTRY[host.name]));
    return { open, wasm: await host.read(WASM) };
  },

  async load({ open, wasm }, bytes, _, mark) {
    const nf = await open(bytes, { wasm, profile: false, storage: "memory" });
    mark("open: compile, instantiate, copy, open, verify");
    return nf;
  },

  query: (nf, vector, k) => nf.similar(vector, { k }),

  rows: (_, { items }) => items.map(({ id }) => Number(id)),
};
