/**
 * hnswlib-wasm 0.8.2: the C++ library hnswlib, compiled by Emscripten, float32, no SIMD.
 *
 * It reads the index that native hnswlib has built, so both search one graph: the files differ in the
 * width of a few numbers. (Building a million vectors' graph itself would take it most of an hour.) The
 * package moves an index in and out through IndexedDB only, and runs in pages only. Three shims make it
 * comparable, all in its favour: a `window` in Node, its private file system reached by one line added
 * to a copy of its JavaScript, and that file system's synchronisation with IndexedDB left out.
 */

/** Breadths of the search: recall is bought with time. */
const EF = [10, 16, 32, 64, 128, 256, 512, 1024];

const ORIGINAL = "benches/node_modules/hnswlib-wasm/dist/hnswlib-317962d7.js";
const COPY = "target/bench/hnswlib-wasm.mjs";
const FOLDER = "/hnswlib-index";

export default {
  key: "hnswlib-wasm",
  name: "hnswlib-wasm",
  lastByte: "copy into its file system",
  variants: () => EF.map((ef) => ({ name: `ef=${ef}`, ef })),

  /** @param native - Path of native hnswlib's index. */
  async prepare(set, _, { hnswlib: native }) {
    const { readFileSync, writeFileSync } = await import("node:fs");
    const { narrowed } = await import("../lib/hnswlib-file.mjs");
    const { absolute, cached } = await import("../lib/tools.mjs");
    const marker = "\nvar unexportedSymbols = [";
    const [before, after, ...more] = readFileSync(absolute(ORIGINAL), "utf8").split(marker);
    if (after === undefined || more.length > 0) throw new Error("another hnswlib-wasm than 0.8.2");
    writeFileSync(absolute(COPY), `${before}\nModule.fileSystem = FS;${marker}${after}`);

    const name = native.replace(/^.*\/hnswlib-/, "hnswlib-wasm-");
    return cached(name, (path) => writeFileSync(absolute(path), narrowed(readFileSync(absolute(native)))));
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
