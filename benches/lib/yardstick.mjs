/**
 * Not peers but yardsticks: wasm modules that do a part of what a search of ours does, and find nothing. They take
 * their turns among the others, so they meet the same caches and the same weather. Runs everywhere.
 */
import nearfield from "../peers/nearfield.mjs";

/**
 * What a peer exports, of a yardstick.
 *
 * @param rest - Its `key`, `name`, `variants`, and `hosts` where it does not run in all.
 * @param module - The bytes of the wasm module of a variant, which exports `memory`.
 * @param run - Does the work once, with what the module exports.
 */
export function yardstick({ module, run, ...rest }) {
  return {
    ...rest,
    yardstick: true,
    prepare: nearfield.prepare,
    start: () => undefined,
    load(_, __, ___, mark) {
      mark("prepare");
      return new Map();
    },
    query(loaded, _, __, variant) {
      if (!loaded.has(variant.name)) loaded.set(variant.name, filled(module(variant)));
      return run(loaded.get(variant.name), variant);
    },
    rows: () => [],
  };
}

/** Memory is that of the module, filled: pages that nobody wrote to may all be the same one. */
function filled(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const words = new Uint32Array(exports.memory.buffer);
  for (let i = 0; i < words.length; i += 1) words[i] = Math.imul(i, 0x9e3779b1);
  return exports;
}
