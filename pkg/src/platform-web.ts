import type { Platform } from "./platform.js";
import { fetchResponse, responseSource } from "./source.js";

/** Pages and workers: everything is fetched, relative addresses from the document or worker. */
export const web: Platform = {
  async locate(address, signal) {
    return responseSource(await fetchResponse(address, signal));
  },
  // Written exactly so, each in one piece: bundlers recognise this form and bring the file along.
  defaultWasm: (kind) =>
    kind === "relaxed"
      ? new URL("../wasm/nearfield_relaxed_bg.wasm", import.meta.url)
      : new URL("../wasm/nearfield_bg.wasm", import.meta.url),
};
