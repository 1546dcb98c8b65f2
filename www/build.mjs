/**
 * Builds the demo page into `dist/`: one script, one style sheet, the wasm and the archive beside them,
 * and a service worker that knows exactly these files.
 *
 * `NEARFIELD_ARCHIVE` names another archive than `target/films.nf`.
 */
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = join(here, "dist");
const archive = process.env.NEARFIELD_ARCHIVE ?? join(here, "..", "target", "films.nf");

/** The package's two modules; the page runs the one that the browser can. */
const MODULES = ["nearfield.wasm", "nearfield_relaxed.wasm"];

/** Where the installed package says a module is. */
function wasmPath(name) {
  try {
    return createRequire(import.meta.url).resolve(`nearfield/${name}`);
  } catch {
    return undefined;
  }
}

/** The files that the page needs, each with what to do when it is missing. */
const modules = MODULES.map(wasmPath);
for (const [path, remedy] of [
  ...modules.map((path) => [path, "build the package first (node pkg/build.mjs), then npm ci in www/"]),
  [archive, "build the film archive first (make demo)"],
]) {
  if (path === undefined || !existsSync(path)) {
    console.error(`build: ${path ?? "the package nearfield"} is missing: ${remedy}`);
    process.exit(1);
  }
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out);
cpSync(join(here, "static"), out, { recursive: true });
modules.forEach((path, i) => copyFileSync(path, join(out, MODULES[i])));
copyFileSync(archive, join(out, "films.nf"));

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning",
  // Served beside the style sheet as it is.
  external: ["./icon.svg"],
};
await build({ ...shared, entryPoints: { app: "src/main.ts", style: "src/styles/style.css" }, outdir: out });

// The worker's cache is named after the content of everything in it: any change makes a new one.
const files = readdirSync(out).sort();
const digest = createHash("sha256");
for (const file of files) digest.update(file).update("\0").update(readFileSync(join(out, file)));
const version = digest.digest("hex").slice(0, 16);
await build({
  ...shared,
  entryPoints: { sw: "src/sw/sw.ts" },
  outdir: out,
  define: {
    VERSION: JSON.stringify(version),
    FILES: JSON.stringify(files.map((file) => (file === "index.html" ? "./" : `./${file}`))),
  },
});
console.log(`demo page built: ${files.length + 1} files, version ${version}`);
