/**
 * hnswlib-wasm 0.8.2: the C++ library hnswlib, compiled by Emscripten, float32, no SIMD.
 *
 * Its index is built once, by itself in Node, and kept; hosts read it back. The package moves an index
 * in and out through IndexedDB only, and runs in pages only. Three shims make it comparable, all in its
 * favour: a `window` in Node, its private file system reached by one line added to a copy of its
 * JavaScript, and that file system's synchronisation with IndexedDB left out.
 */
import { readNpy } from "../lib/npy.mjs";
import { normalise } from "./plain-loop.mjs";

const M = 16;
const EF_CONSTRUCTION = 200;
const SEED = 100;
/** Breadths of the search: recall is bought with time. */
const EF = [16, 32, 64, 128, 256, 512];

const ORIGINAL = "benches/node_modules/hnswlib-wasm/dist/hnswlib-317962d7.js";
const COPY = "target/bench/hnswlib-wasm.mjs";
const FOLDER = "/hnswlib-index";

export default {
  key: "hnswlib-wasm",
  name: "hnswlib-wasm",
  lastByte: "copy into its file system",
  variants: () => EF.map((ef) => ({ name: `ef=${ef}`, ef })),

  async prepare(set, files) {
    const { readFileSync, writeFileSync } = await import("node:fs");
    const { absolute, cached, digest, say } = await import("../lib/tools.mjs");
    const marker = "\nvar unexportedSymbols = [";
    const [before, after, ...more] = readFileSync(absolute(ORIGINAL), "utf8").split(marker);
    if (after === undefined || more.length > 0) throw new Error("another hnswlib-wasm than 0.8.2");
    writeFileSync(absolute(COPY), `${before}\nModule.fileSystem = FS;${marker}${after}`);

    const name = `hnswlib-${await digest(files.base)}-${set.metric}-${M}-${EF_CONSTRUCTION}.bin`;
    return cached(name, async (path) => {
      say(`${set.name}: hnswlib-wasm builds its index (once)`);
      const library = await this.start({ url: () => new URL(`../../${COPY}`, import.meta.url).href });
      const bytes = readFileSync(absolute(files.base));
      const { rows, dim, values } = readNpy(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
      );
      if (set.metric === "cosine") normalise(values, dim);
      const { fileSystem, index } = await open(library, set.metric, dim);
      index.initIndex(rows, M, EF_CONSTRUCTION, SEED);
      for (let row = 0; row < rows; row += 1) {
        index.addPoint(values.subarray(row * dim, (row + 1) * dim), row, false);
      }
      index.writeIndex("index.bin");
      writeFileSync(absolute(path), fileSystem.readFile(`${FOLDER}/index.bin`));
    });
  },

  async start(host) {
    globalThis.window ??= globalThis;
    return (await import(host.url(COPY))).default;
  },

  async load(library, bytes, { metric, dim, rows }, mark) {
    const { fileSystem, index } = await open(library, metric, dim);
    mark("compile and instantiate");
    fileSystem.writeFile(`${FOLDER}/index.bin`, new Uint8Array(bytes));
    mark("copy into its file system");
    index.readIndex("index.bin", rows);
    mark("read the index");
    return { index, ef: 0 };
  },

  query(loaded, vector, k, { ef }) {
    if (loaded.ef !== ef) {
      loaded.index.setEfSearch(ef);
      loaded.ef = ef;
    }
    return loaded.index.searchKnn(vector, k, undefined);
  },

  rows: (_, { neighbors }) => Array.from(neighbors),
};

/** An instance with an empty index. Normalised vectors under inner product are cosine, done once. */
async function open(library, metric, dim) {
  const module = await library({ print: () => {}, printErr: () => {} });
  module.fileSystem.syncfs = (_, done) => done(null);
  module.EmscriptenFileSystemManager.initializeFileSystem("IDBFS");
  const space = metric === "euclidean" ? "l2" : "ip";
  return { fileSystem: module.fileSystem, index: new module.HierarchicalNSW(space, dim, "") };
}
