/**
 * The generator `longtail-v1` under inner product: lengths over three orders of magnitude, as popularity
 * makes those of factors. Graphs and low-precision types fail on it.
 */
import { generate } from "../lib/generate.mjs";

const ROWS = 100_000;
const DIM = 64;

export default {
  key: "longtail-100k",
  name: "longtail-v1 100,000 x 64",
  metric: "inner_product",
  rows: ROWS,
  dim: DIM,
  digest: "78b0d6b7f59bb9d1",
  recallFloor: 0.97,
  /** Options of `nearfield build`: what the row of bytes allows. */
  build: ["--bits", "6", "--recall", "0.97"],
  passes: 2,
  measures: ["queries", "first"],
  hosts: ["Chromium"],
  targets: [{ peer: "hnswlib", atMost: 1 / 3, bytes: 56 }],
  prepare: () => generate("longtail-v1", ROWS, DIM),
};
