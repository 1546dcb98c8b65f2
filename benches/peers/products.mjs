/**
 * The dot products of a scan of all blocks, and nothing else, in both forms that an engine may be good at. What an
 * exhaustive search takes beyond that, it takes for all the rest; less it can take only by leaving out blocks.
 */
import { BLOCK, GROUP, forms, productsModule } from "../lib/products.mjs";
import { yardstick } from "../lib/yardstick.mjs";

/** Where the query lies, and behind it the blocks. */
const QUERY = 1024;

export default yardstick({
  key: "products",
  name: "dot products of all blocks",
  /** Where relaxed SIMD is. */
  hosts: ["Chromium"],

  variants({ rows, dim }) {
    const groups = Math.ceil(dim / 8);
    const from = QUERY + 8 * groups;
    const to = from + Math.ceil(rows / BLOCK) * groups * GROUP;
    return forms.map((form) => ({ name: `by ${form}`, form, from, to, groups }));
  },

  module: ({ form, to }) => productsModule(form, to),
  run: (exports, { from, to, groups }) => exports.scan(from, to, QUERY, groups),
});
