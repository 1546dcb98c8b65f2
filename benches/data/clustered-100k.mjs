/** Twice the size of the other clustered set; only the way from the bytes to the first answer. */
import { generate } from "./clustered.mjs";

const ROWS = 100_000;
const DIM = 64;

export default {
  key: "clustered-100k",
  name: "clustered-v1 100,000 x 64",
  metric: "cosine",
  rows: ROWS,
  dim: DIM,
  measures: ["first"],
  /** Building a graph over it would say nothing that the smaller set does not. */
  peers: ["nearfield", "engine", "plain-loop"],
  prepare: () => generate("clustered-v1", ROWS, DIM),
};
