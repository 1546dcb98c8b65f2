/**
 * What peers from npm have in common that are reported where they are installed:
 *
 *   cd benches && npm install --no-save edgevec@0.9.0 voy-search@0.6.3 @orama/orama@3.1.18
 *
 * They cannot open an index that was built before without parsing it, or not at all, so they build it in
 * the page; that takes them up to minutes for larger sets than those they are asked here. Runs everywhere.
 */
import { readNpy } from "./npy.mjs";
import { normalise } from "../peers/plain-loop.mjs";

const MOST_ROWS = 50_000;

/** Of cosine, distances between vectors of length 1 have the order. */
const METRICS = ["cosine", "euclidean"];

export const NODE_MODULES = "benches/node_modules";

/** Members of a peer whose package has this folder. */
export const optional = (folder) => ({
  /** Its index never lies in a file, so nobody knows its size, and there is no way to a first answer. */
  builds: true,
  async takes({ rows, metric }) {
    const { existsSync } = await import("node:fs");
    const { absolute } = await import("./tools.mjs");
    return rows <= MOST_ROWS && METRICS.includes(metric) && existsSync(absolute(`${NODE_MODULES}/${folder}`));
  },
  variants: () => [{ name: "" }],
  prepare: (_, files) => files.base,
});

/** A file's vectors, one array a row, of length 1 where only directions count. */
export function vectors(bytes, metric) {
  const { rows, dim, values } = readNpy(bytes);
  if (metric === "cosine") normalise(values, dim);
  return Array.from({ length: rows }, (_, row) => values.slice(row * dim, (row + 1) * dim));
}

/** A query likewise. */
export function direction(vector, metric) {
  if (metric !== "cosine") return vector;
  const copy = vector.slice();
  normalise(copy, copy.length);
  return copy;
}
