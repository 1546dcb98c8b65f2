/** Data sets that the nearfield command generates. Node only. */
import { CACHE, cached, nearfield, say } from "./tools.mjs";

/** Vectors and 1,000 queries of one of the command's generators, which is its version and its seed. */
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
