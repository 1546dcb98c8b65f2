/** The time to read, once, as many bytes as an exhaustive search of ours reads. */
import { STRIDE, streamModule } from "../lib/stream.mjs";
import { yardstick } from "../lib/yardstick.mjs";

export default yardstick({
  key: "stream",
  name: "reading those bytes once",

  async variants(_, archive) {
    const { archiveSizes, scannedBytes } = await import("../lib/sizes.mjs");
    const { sections } = await archiveSizes(archive);
    const bytes = Math.ceil(scannedBytes(sections) / STRIDE) * STRIDE;
    return [{ name: `(${(bytes / 1e6).toFixed(1)} MB)`, bytes }];
  },

  module: ({ bytes }) => streamModule(bytes),
  run: (exports, { bytes }) => exports.sum(0, bytes),
});
