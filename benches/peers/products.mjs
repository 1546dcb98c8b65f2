/**
 * Not a peer but a yardstick: the dot products of a scan of all blocks, and nothing else, in both forms that an
 * engine may be good at. What an exhaustive search takes beyond that, it takes for all the rest; less it can
 * take only by leaving out blocks.
 */
import { BLOCK, GROUP, forms, productsModule } from "../lib/products.mjs";
import nearfield from "./nearfield.mjs";

const QUERY = 1024;

export default {
  key: "products",
  name: "dot products of all blocks",
  /** It finds nothing. */
  yardstick: true,
  /** Where relaxed SIMD is. */
  hosts: ["Chromium"],
  prepare: nearfield.prepare,
  variants: ({ rows, dim }) =>
    forms.map((form) => ({ name: `by ${form}`, form, blocks: Math.ceil(rows / BLOCK), groups: Math.ceil(dim / 8) })),

  start: () => undefined,

  load(_, __, ___, mark) {
    const instances = new Map();
    mark("prepare");
    return {
      of(variant) {
        if (!instances.has(variant.form)) instances.set(variant.form, filled(variant));
        return instances.get(variant.form);
      },
    };
  },

  query(loaded, _, __, variant) {
    const from = QUERY + 8 * variant.groups;
    return loaded.of(variant).scan(from, from + variant.blocks * variant.groups * GROUP, QUERY, variant.groups);
  },

  rows: () => [],
};

function filled({ form, blocks, groups }) {
  const bytes = QUERY + 8 * groups + blocks * groups * GROUP;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(productsModule(form, bytes)));
  const words = new Uint32Array(exports.memory.buffer);
  for (let i = 0; i < words.length; i += 1) words[i] = Math.imul(i, 0x9e3779b1);
  return exports;
}
