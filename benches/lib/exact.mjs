/** The true neighbours, by brute force in float64; what recall is measured against. Node only. */
import { readFileSync, writeFileSync } from "node:fs";
import { readNpy } from "./npy.mjs";
import { absolute, cached, digest, say } from "./tools.mjs";

/**
 * The best `k` rows for every query, as a path of a JSON file: a list of row numbers per query, best
 * first, ties by row.
 */
export async function truth(set, files, k) {
  const inputs = [await digest(files.base), await digest(files.queries), set.metric, k];
  return cached(`truth-${inputs.join("-")}.json`, (path) => {
    say(`${set.name}: true neighbours by brute force`);
    const base = read(files.base);
    const queries = read(files.queries);
    const score = scorer(set.metric, base);
    const lists = [];
    for (let q = 0; q < queries.rows; q += 1) {
      lists.push(best(base.rows, k, score(queries.values.subarray(q * queries.dim, (q + 1) * queries.dim))));
    }
    writeFileSync(absolute(path), JSON.stringify(lists));
  });
}

const read = (path) => {
  const bytes = readFileSync(absolute(path));
  return readNpy(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

/** Higher is better for every metric, as everywhere in nearfield. */
function scorer(metric, { rows, dim, values }) {
  const dot = (query, row) => {
    let sum = 0;
    for (let j = 0, at = row * dim; j < dim; j += 1, at += 1) sum += query[j] * values[at];
    return sum;
  };
  const squares = Float64Array.from({ length: rows }, (_, row) =>
    dot(values.subarray(row * dim, (row + 1) * dim), row),
  );
  switch (metric) {
    case "inner_product":
      return (query) => (row) => dot(query, row);
    case "cosine":
      return (query) => (row) => dot(query, row) / Math.sqrt(squares[row]);
    case "euclidean":
      return (query) => (row) => 2 * dot(query, row) - squares[row];
    default:
      throw new Error(`no such metric: ${metric}`);
  }
}

function best(rows, k, score) {
  const kept = [];
  for (let row = 0; row < rows; row += 1) {
    const found = score(row);
    if (kept.length === k && found <= kept[k - 1].score) continue;
    let at = kept.length;
    while (at > 0 && kept[at - 1].score < found) at -= 1;
    kept.splice(at, 0, { row, score: found });
    if (kept.length > k) kept.pop();
  }
  return kept.map(({ row }) => row);
}
