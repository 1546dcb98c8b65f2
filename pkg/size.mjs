/**
 * Reports what a page downloads to run nearfield, archive aside, and fails above `size-budget.json`:
 * one budget for the engine (the wasm and its glue), one for all the JavaScript of the package.
 * JavaScript is measured as shipped, names unshortened; a bundler that minifies makes it smaller.
 *
 *   node size.mjs [--over-budget]     with the flag, an exceeded budget is only a warning
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const at = (path) => new URL(path, import.meta.url);

/**
 * What is measured: each row's files, after compression of each, added up. The glue as generated is
 * part of the first row; as bundled, it is part of `index.js` too, so that the rows do not add up.
 */
const ROWS = {
  "nearfield_bg.wasm": ["wasm/nearfield_bg.wasm"],
  "glue.js": ["wasm/glue.js"],
  "wasm and glue": ["wasm/nearfield_bg.wasm", "wasm/glue.js"],
  "index.js, glue included": ["dist/index.js"],
};

/** The sizes of one file: as it is, after gzip at 9, and after brotli at 11. */
function measure(path) {
  const bytes = readFileSync(at(path));
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
  return { raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotli.length };
}

/** Prints the table and returns a sentence for each budget that is exceeded. */
export function reportSizes() {
  const budget = JSON.parse(readFileSync(at("size-budget.json"), "utf8"));
  const unknown = Object.keys(budget).filter((name) => !Object.hasOwn(ROWS, name));
  if (unknown.length > 0) throw new Error(`size-budget.json: nothing is measured as ${unknown.join(", ")}`);
  const exceeded = [];
  const line = (name, cells) => console.log(name.padEnd(26) + cells.map((n) => String(n).padStart(10)).join(""));
  line("bytes", ["raw", "gzip", "brotli", "budget"]);
  for (const [name, files] of Object.entries(ROWS)) {
    const sizes = files.map(measure);
    const cells = ["raw", "gzip", "brotli"].map((key) => sizes.reduce((sum, size) => sum + size[key], 0));
    const limit = budget[name];
    line(name, [...cells, limit ?? ""]);
    const brotli = cells[2];
    if (limit !== undefined && !(brotli <= limit)) {
      exceeded.push(`${name}: ${brotli} bytes after brotli exceed the budget of ${limit}`);
    }
  }
  return exceeded;
}

/** Reports, and says on standard error what is exceeded; returns whether that is a failure. */
export function withinBudget(args) {
  const exceeded = reportSizes();
  const warnOnly = args.includes("--over-budget");
  for (const sentence of exceeded) console.error(`size: ${warnOnly ? "warning: " : ""}${sentence}`);
  return warnOnly || exceeded.length === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !withinBudget(process.argv.slice(2))) {
  process.exitCode = 1;
}
