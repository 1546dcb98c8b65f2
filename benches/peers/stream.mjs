/**
 * Not a peer but a yardstick: the time to read, once, as many bytes as an exhaustive search of ours reads.
 * It takes its turns among the others, so it meets the same caches and the same weather.
 */
import { STRIDE, streamModule } from "../lib/stream.mjs";
import nearfield from "./nearfield.mjs";

export default {
  key: "stream",
  name: "reading those bytes once",
  /** It finds nothing. */
  yardstick: true,
  prepare: nearfield.prepare,

  async variants(_, archive) {
    const { archiveSizes, scannedBytes } = await import("../lib/sizes.mjs");
    const { sections } = await archiveSizes(archive);
    const bytes = Math.ceil(scannedBytes(sections) / STRIDE) * STRIDE;
    return [{ name: `(${(bytes / 1e6).toFixed(1)} MB)`, bytes }];
  },

  start: () => undefined,

  /** Memory is that of the module, filled: pages that nobody wrote to may all be the same one. */
  load(_, archive, __, mark) {
    const instances = new Map();
    mark("prepare");
    return {
      of(bytes) {
        if (!instances.has(bytes)) instances.set(bytes, filled(bytes));
        return instances.get(bytes);
      },
    };
  },

  query: (loaded, _, __, { bytes }) => loaded.of(bytes).sum(0, bytes),

  rows: () => [],
};

function filled(bytes) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(streamModule(bytes)));
  const words = new Uint32Array(exports.memory.buffer);
  for (let i = 0; i < words.length; i += 1) words[i] = i;
  return exports;
}
