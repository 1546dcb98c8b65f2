/** What is downloaded: module and JavaScript after brotli, and the film archive by section. Node only. */
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { absolute } from "./tools.mjs";

const CODE = ["pkg/wasm/nearfield_bg.wasm", "pkg/dist/index.js"];

/** Bytes of what a page loads to run nearfield: `{path, bytes, brotli}` each. */
export function codeSizes() {
  return CODE.map((path) => {
    const bytes = readFileSync(absolute(path));
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
    return { path, bytes: bytes.length, brotli: brotliCompressSync(bytes, { params }).length };
  });
}

/** Items and bytes of an archive, in all and by section. */
export async function archiveSizes(path) {
  const { open } = await import("../../pkg/dist/index.node.js");
  const nf = await open(absolute(path), { profile: false });
  const { nItems, totalBytes, sections } = nf.info;
  nf.dispose();
  return { path, items: nItems, bytes: totalBytes, sections };
}
