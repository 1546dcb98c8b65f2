/**
 * Reports what a page downloads to run nearfield, archive aside, and fails above `size-budget.json`.
 * JavaScript is measured as shipped, names unshortened; a bundler that minifies makes it smaller.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const at = (path) => new URL(path, import.meta.url);

/** The sizes of one file: as it is, after gzip at 9, and after brotli at 11. */
function measure(name, path) {
  const bytes = readFileSync(at(path));
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** Prints the table and throws when a budget is exceeded. */
export function reportSizes() {
  const rows = [
    measure("nearfield_bg.wasm", "wasm/nearfield_bg.wasm"),
    measure("index.js (glue included)", "dist/index.js"),
  ];
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  rows.push({ name: "together", raw: sum("raw"), gzip: sum("gzip"), brotli: sum("brotli") });
  console.log(`${"bytes".padEnd(26)}${"raw".padStart(10)}${"gzip".padStart(10)}${"brotli".padStart(10)}`);
  for (const { name, raw, gzip, brotli } of rows) {
    console.log(
      name.padEnd(26) + [raw, gzip, brotli].map((n) => String(n).padStart(10)).join(""),
    );
  }
  const budget = JSON.parse(readFileSync(at("size-budget.json"), "utf8"));
  const limit = budget["wasm and JavaScript, brotli"];
  if (!(sum("brotli") <= limit)) {
    throw new Error(`${sum("brotli")} bytes after brotli exceed the budget of ${limit}`);
  }
  console.log(`within the budget of ${limit} bytes after brotli`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) reportSizes();
