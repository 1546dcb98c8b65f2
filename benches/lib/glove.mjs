/** Word vectors and what is made of them, by the scripts that fetch and pin them. Node only. */
import { existsSync } from "node:fs";
import { absolute, python, say } from "./tools.mjs";

const FOLDER = "target/data/glove";
/** Each reads what those before it wrote. */
const SCRIPTS = [
  { script: "fetch_glove.py", writes: ["vectors.f32.npy"] },
  { script: "glove100.py", writes: ["glove100-base.npy", "glove100-queries.npy"] },
  { script: "glove64.py", writes: ["glove64-base.npy", "glove64-queries.npy"] },
  { script: "glove1m.py", writes: ["glove1m-base.npy"] },
];

/** Makes the files of these names, unless they are there. */
export function glove(base, queries) {
  const there = (name) => existsSync(absolute(`${FOLDER}/${name}`));
  const last = SCRIPTS.findIndex(({ writes }) => writes.includes(base));
  for (const { script, writes } of SCRIPTS.slice(0, last + 1)) {
    if (writes.every(there)) continue;
    say(`GloVe: ${script} writes ${writes.join(" and ")}`);
    python(`tests/eval/${script}`);
  }
  return { base: `${FOLDER}/${base}`, queries: `${FOLDER}/${queries}` };
}
