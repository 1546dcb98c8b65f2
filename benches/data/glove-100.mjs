/** Word vectors: real, and far harder than clustered ones. 1,000 of 341,479 are held out as queries. */
import { glove } from "../lib/glove.mjs";

export default {
  key: "glove-100",
  name: "GloVe 340,479 x 100",
  metric: "cosine",
  rows: 340_479,
  dim: 100,
  digest: "6ffcaf24508b18ed",
  recallFloor: 0.95,
  /** Options of `nearfield build`: what the row of bytes allows. */
  build: ["--bits", "6", "--recall", "0.95"],
  passes: 1,
  measures: ["queries"],
  hosts: ["Chromium"],
  targets: [{ peer: "hnswlib", atMost: 1 / 2, bytes: 84 }],
  prepare: () => glove("glove100-base.npy", "glove100-queries.npy"),
};
