/** The generator `isotropic-v1`: white noise, the worst that can be asked of any index. Only reported. */
import { generate } from "../lib/generate.mjs";

const ROWS = 1_000_000;
const DIM = 64;

export default {
  key: "isotropic-1m",
  name: "isotropic-v1 1,000,000 x 64",
  metric: "cosine",
  rows: ROWS,
  dim: DIM,
  digest: "cd6ae16db144e134",
  optional: true,
  recallFloor: 0,
  passes: 1,
  measures: ["queries"],
  hosts: ["Chromium"],
  prepare: () => generate("isotropic-v1", ROWS, DIM),
};
