/** Word vectors reduced to 64 dimensions: real, and far harder than clustered ones. */
import { existsSync } from "node:fs";
import { absolute, run } from "../lib/tools.mjs";

const FOLDER = "target/data/glove";
const files = { base: `${FOLDER}/glove64-base.npy`, queries: `${FOLDER}/glove64-queries.npy` };

export default {
  key: "glove-64",
  name: "GloVe 340,479 x 64",
  metric: "cosine",
  rows: 340_479,
  dim: 64,
  recallFloor: 0.98,
  passes: 1,
  measures: ["queries", "first"],
  prepare() {
    if (!Object.values(files).every((path) => existsSync(absolute(path)))) {
      const python = "target/venv/bin/python";
      run(python, ["tests/eval/fetch_glove.py"]);
      run(python, ["tests/eval/glove64.py"]);
    }
    return files;
  },
};
