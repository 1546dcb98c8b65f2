/** What is downloaded: module and JavaScript after brotli, and the film archive by section. Node only. */
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { absolute, digest } from "./tools.mjs";

/** The module, its glue, and the package's JavaScript, which has the glue inside. */
const CODE = ["pkg/wasm/nearfield_relaxed_bg.wasm", "pkg/wasm/nearfield_bg.wasm", "pkg/wasm/glue.js", "pkg/dist/index.js"];

/** What a page loads to run nearfield: `{path, digest, bytes, brotli}` each. */
export function codeSizes() {
  return Promise.all(
    CODE.map(async (path) => {
      const bytes = readFileSync(absolute(path));
      const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
      const brotli = brotliCompressSync(bytes, { params }).length;
      return { path, digest: await digest(path), bytes: bytes.length, brotli };
    }),
  );
}

/** Sections that a search by vector does not read: they are reported apart. */
const APART = ["ids", "model", "columns", "titles", "texts"];
/** Sections that a search through all items reads as a whole. */
const SCANNED = ["codes"];

const total = (sections) => sections.reduce((sum, { bytes }) => sum + bytes, 0);

/** Bytes of codes, scales, norms, permutation, centroids and offsets. */
export const searchBytes = (sections) => total(sections.filter(({ name }) => !APART.includes(name)));

/** Bytes that a search through all items reads. */
export const scannedBytes = (sections) => total(sections.filter(({ name }) => SCANNED.includes(name)));

/** Items and bytes of an archive, in all and by section. */
export async function archiveSizes(path) {
  const { open } = await import("../../pkg/dist/index.node.js");
  const nf = await open(absolute(path), { profile: false });
  const { nItems, totalBytes, sections } = nf.info;
  nf.dispose();
  return { path, items: nItems, bytes: totalBytes, sections };
}
