/**
 * Content vectors of the film catalog, of which 1,000 are held out as queries. They are what the codes of
 * the catalog's archive stand for, so they have been rounded once already; an archive made of them rounds
 * them again, in other directions, since it rotates them once more.
 */
import { CACHE, cached, digest, nearfield, python, say } from "../lib/tools.mjs";

const ARCHIVE = "target/films.nf";

export default {
  key: "films",
  name: "films 16,472 x 64",
  metric: "cosine",
  rows: 16_472,
  dim: 64,
  recallFloor: 0.98,
  /** Options of `nearfield build`: what the row of bytes allows. */
  build: ["--bits", "7", "--recall", "0.985"],
  passes: 3,
  measures: ["queries", "first"],
  targets: [{ exhaustive: true, peer: "plain-loop", atMost: 1 / 30, bytes: 66 }],

  async prepare() {
    const stem = `films-${await digest(ARCHIVE)}`;
    const queries = `${CACHE}/${stem}-queries.npy`;
    const base = await cached(`${stem}.npy`, (path) => {
      say(`${stem}: decoding`);
      const decoded = `${CACHE}/${stem}-decoded.npy`;
      nearfield("decode", ARCHIVE, "-o", decoded);
      python("benches/data/films.py", decoded, path, queries);
    });
    return { base, queries };
  },
};
