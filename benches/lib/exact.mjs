/** The true neighbours, which recall is measured against; exact.py finds them. Node only. */
import { cached, digest, pythonJob, say } from "./tools.mjs";

/**
 * The best `k` rows for every query, as a path of a JSON file: a list of row numbers per query, best
 * first. A list is longer where rows tie with its k-th.
 *
 * @param sieve - `{path, below}`, where only rows whose number in the sieve lies below take part.
 */
export async function truth(set, files, k, sieve) {
  const inputs = [await digest(files.base), await digest(files.queries), set.metric, k];
  if (sieve !== undefined) inputs.push(await digest(sieve.path), sieve.below);
  return cached(`exact-${inputs.join("-")}.json`, (out) => {
    say(`${set.name}: true neighbours by brute force${sieve ? ` among ${sieve.below} per cent` : ""}`);
    pythonJob("benches/native/exact.py", { ...files, metric: set.metric, k, sieve, out });
  });
}
