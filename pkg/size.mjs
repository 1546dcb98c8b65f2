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

const MODULES = ["wasm/nearfield_bg.wasm", "wasm/nearfield_relaxed_bg.wasm"];

/**
 * What is measured: each row's parts, after compression of each, added up. A part is one file, or the
 * larger of two where a page downloads one of them. The glue as generated is part of the first rows; as
 * bundled, it is part of `index.js` too, so that the rows do not add up.
 */
const ROWS = {
  "nearfield_bg.wasm": [[MODULES[0]]],
  "nearfield_relaxed_bg.wasm": [[MODULES[1]]],
  "glue.js": [["wasm/glue.js"]],
  "wasm and glue": [MODULES, ["wasm/glue.js"]],
  "index.js, glue included": [["dist/index.js"]],
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

/** The largest of some files after brotli, which is what budgets are about. */
function largest(paths) {
  return paths.map(measure).reduce((a, b) => (b.brotli > a.brotli ? b : a));
}

/** Prints the table and returns a sentence for each budget that is exceeded. */
export function reportSizes() {
  const budget = JSON.parse(readFileSync(at("size-budget.json"), "utf8"));
  const unknown = Object.keys(budget).filter((name) => !Object.hasOwn(ROWS, name));
  if (unknown.length > 0) throw new Error(`size-budget.json: nothing is measured as ${unknown.join(", ")}`);
  const exceeded = [];
  const line = (name, cells) => console.log(name.padEnd(26) + cells.map((n) => String(n).padStart(10)).join(""));
  line("bytes", ["raw", "gzip", "brotli", "budget"]);
  for (const [name, parts] of Object.entries(ROWS)) {
    const sizes = parts.map(largest);
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
