/** voy-search 0.6.3: a k-d tree in wasm. Its package is for bundlers; what they do is done here. */
import { NODE_MODULES, direction, optional, vectors } from "../lib/optional.mjs";

const FOLDER = "voy-search";

export default {
  key: "voy-search",
  name: "voy-search",
  ...optional(FOLDER),

  async start(host) {
    const glue = await import(host.url(`${NODE_MODULES}/${FOLDER}/voy_search_bg.js`));
    const wasm = await host.read(`${NODE_MODULES}/${FOLDER}/voy_search_bg.wasm`);
    const { instance } = await WebAssembly.instantiate(wasm, { "./voy_search_bg.js": glue });
    glue.__wbg_set_wasm(instance.exports);
    return glue.Voy;
  },

  load(Voy, bytes, { metric }, mark) {
    const embeddings = vectors(bytes, metric).map((vector, row) => {
      return { id: String(row), title: "", url: "", embeddings: Array.from(vector) };
    });
    const index = new Voy({ embeddings });
    mark("build");
    return { index, metric };
  },

  query: ({ index, metric }, vector, k) => index.search(direction(vector, metric), k),

  rows: (_, { neighbors }) => neighbors.map(({ id }) => Number(id)),
};
