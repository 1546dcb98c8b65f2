/** EdgeVec 0.9.0: HNSW in wasm. By its l2 metric: its cosine and dot return wrong neighbours. */
import { NODE_MODULES, direction, optional, vectors } from "../lib/optional.mjs";

const FOLDER = "edgevec";

export default {
  key: "edgevec",
  name: "EdgeVec, l2",
  ...optional(FOLDER),

  async start(host) {
    const library = await import(host.url(`${NODE_MODULES}/${FOLDER}/edgevec.js`));
    library.initSync({ module: await host.read(`${NODE_MODULES}/${FOLDER}/edgevec_bg.wasm`) });
    return library;
  },

  load({ EdgeVec, EdgeVecConfig }, bytes, { metric, dim }, mark) {
    const config = new EdgeVecConfig(dim);
    config.metric = "l2";
    const index = new EdgeVec(config);
    const rows = new Map(vectors(bytes, metric).map((vector, row) => [index.insert(vector), row]));
    mark("build");
    return { index, rows, metric };
  },

  query: ({ index, metric }, vector, k) => index.search(direction(vector, metric), k),

  rows: ({ rows }, found) => found.map(({ id }) => rows.get(id)),
};
