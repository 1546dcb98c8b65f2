/**
 * Runs before `npm pack` and `npm publish`: brings the licences from the repository's root and refuses
 * to pack a package that lacks its generated parts.
 */
import { copyFileSync, existsSync } from "node:fs";

const at = (path) => new URL(path, import.meta.url);

for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(at(`../${licence}`), at(licence));

const missing = [
  "dist/index.js",
  "dist/index.node.js",
  "dist/index.d.ts",
  "wasm/nearfield_bg.wasm",
  "wasm/nearfield_relaxed_bg.wasm",
].filter((path) => !existsSync(at(path)));
if (missing.length > 0) {
  console.error(`prepack: missing ${missing.join(", ")}; run node build.mjs first`);
  process.exit(1);
}
