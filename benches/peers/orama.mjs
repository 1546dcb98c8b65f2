/** Orama 3.1.18: full text search in JavaScript that also compares vectors, all of them. */
import { NODE_MODULES, direction, optional, vectors } from "../lib/optional.mjs";

const FOLDER = "@orama/orama";

export default {
  key: "orama",
  name: "Orama",
  ...optional(FOLDER),

  start: (host) => import(host.url(`${NODE_MODULES}/${FOLDER}/dist/browser/index.js`)),

  async load({ create, insertMultiple, searchVector }, bytes, { metric, dim }, mark) {
    const index = create({ schema: { vector: `vector[${dim}]` } });
    const documents = vectors(bytes, metric).map((vector, row) => ({ id: String(row), vector: Array.from(vector) }));
    await insertMultiple(index, documents);
    mark("build");
    return { index, searchVector, metric };
  },

  query: ({ index, searchVector, metric }, vector, k) =>
    searchVector(index, {
      vector: { value: direction(vector, metric), property: "vector" },
      // Its default leaves out what is less similar than 0.8, and so may answer fewer.
      similarity: -1,
      limit: k,
    }),

  rows: (_, { hits }) => hits.map(({ id }) => Number(id)),
};
