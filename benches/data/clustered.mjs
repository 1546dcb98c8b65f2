/**
 * The generator `clustered-v1`: easy for every index, and the same on every machine.
 *
 * Records up to 2026-11-23-e25ff29a08 are of other vectors: of a file that the generator made while its spread
 * was still 0.35 and not 0.4, and that stayed in the cache under this name.
 */
import { generate } from "../lib/generate.mjs";

const ROWS = 50_000;
const DIM = 64;

export default {
  key: "clustered-50k",
  name: "clustered-v1 50,000 x 64",
  metric: "cosine",
  rows: ROWS,
  dim: DIM,
  /** Of the base: another one is another data set, and another name. */
  digest: "2428fea4b100d601",
  recallFloor: 0.975,
  /** Options of `nearfield build`: what the row of bytes allows. */
  build: ["--bits", "7", "--recall", "0.973"],
  /** Times that all queries are asked. */
  passes: 3,
  measures: ["queries", "first"],
  /** What is promised; `table.mjs` says what the members mean. */
  targets: [{ peer: "hnswlib-wasm", atMost: 1 / 5, bytes: 62 }],
  prepare: () => generate("clustered-v1", ROWS, DIM),
};
