/** Runs in a page: what `test/products.test.mjs` asserts needs relaxed SIMD, which Node has not everywhere. */
import { GROUP, forms, productsModule } from "./products.mjs";

/** Which of the four dimensions in a half byte's four bytes a form's first lane adds up. */
const DIMENSIONS = { fours: [0, 1, 2, 3], pairs: [0, 1] };

export const tasks = { products: async (job) => forms.map((form) => ({ form, ...products(form, job) })) };

/** The largest dot product as the module finds it, and by hand. */
function products(form, { from, groups, blocks }) {
  const to = from + blocks * groups * GROUP;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(productsModule(form, to)));
  const bytes = new Uint8Array(exports.memory.buffer);
  for (let i = 0; i < to; i += 1) bytes[i] = (i * i * 37 + i * 11) >> 3;
  const query = new Int8Array(exports.memory.buffer, 0, 8 * groups);
  query.forEach((_, j) => (query[j] = ((j * 29) % 41) - 20));
  let largest = 0;
  for (let block = 0; block < blocks; block += 1) {
    for (let item = 0; item < GROUP / 4; item += 4) {
      let dot = 0;
      for (let group = 0; group < groups; group += 1) {
        for (const j of DIMENSIONS[form]) {
          const byte = bytes[from + (block * groups + group) * GROUP + 4 * item + j];
          dot += (byte & 15) * query[8 * group + j] + (byte >> 4) * query[8 * group + 4 + j];
        }
      }
      largest = Math.max(largest, dot);
    }
  }
  return { found: exports.scan(from, to, 0, groups), largest };
}
