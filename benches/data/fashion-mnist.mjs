/** Pictures of clothes, by Euclidean distance: 784 dimensions. Only reported. */
import { existsSync } from "node:fs";
import { absolute, python } from "../lib/tools.mjs";

const FOLDER = "target/data/fashion-mnist";
const files = { base: `${FOLDER}/base.npy`, queries: `${FOLDER}/queries.npy` };

export default {
  key: "fashion-mnist",
  name: "Fashion-MNIST 60,000 x 784",
  metric: "euclidean",
  rows: 60_000,
  dim: 784,
  digest: "b4c9ef4d227514f8",
  optional: true,
  recallFloor: 0,
  passes: 1,
  measures: ["queries"],
  hosts: ["Chromium"],
  prepare() {
    const there = Object.values(files).every((path) => existsSync(absolute(path)));
    if (!there) python("tests/eval/fetch_fashion_mnist.py");
    return files;
  },
};
