/**
 * A million vectors: word vectors reduced to 64 dimensions, and points between near ones of them. The
 * queries are real words.
 */
import { glove } from "../lib/glove.mjs";

export default {
  key: "glove-1m",
  name: "GloVe upsampled to 1,000,000 x 64",
  metric: "cosine",
  rows: 1_000_000,
  dim: 64,
  digest: "c0e96154b29c40b1",
  recallFloor: 0.95,
  /** Options of `nearfield build`: what the row of bytes allows. */
  build: ["--bits", "6", "--recall", "0.972"],
  passes: 1,
  measures: ["queries", "first"],
  hosts: ["Chromium"],
  /** Per cent of the items that pass the filters tried. */
  filters: [1, 10, 50],
  targets: [
    { peer: "hnswlib", atMost: 1, bytes: 56, p99: 2.5 },
    { exhaustive: true, peer: "stream", atMost: 2, bytes: 56 },
  ],
  prepare: () => glove("glove1m-base.npy", "glove64-queries.npy"),
};
