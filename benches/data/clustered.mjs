/** The generator `clustered-v1`: easy for every index, and the same on every machine. */
import { CACHE, cached, nearfield, say } from "../lib/tools.mjs";

const ROWS = 50_000;
const DIM = 64;

export default {
  key: "clustered-50k",
  name: "clustered-v1 50,000 x 64",
  metric: "cosine",
  rows: ROWS,
  dim: DIM,
  recallFloor: 0.97,
  /** Times that all queries are asked. */
  passes: 3,
  measures: ["queries", "first"],
  prepare: () => generate("clustered-v1", ROWS, DIM),
};

/** Vectors and 1,000 queries of one of the command's generators. */
export async function generate(generator, rows, dim) {
  const stem = `${generator}-${rows}-${dim}-1`;
  const queries = `${CACHE}/${stem}-queries.npy`;
  const base = await cached(`${stem}.npy`, (path) => {
    say(`${stem}: generating`);
    nearfield(
      ...["generate", generator, "-n", String(rows), "--dim", String(dim), "--seed", "1"],
      ...["-o", path, "--queries", queries, "--n-queries", "1000"],
    );
  });
  return { base, queries };
}
