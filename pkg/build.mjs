/**
 * Builds the npm package: Rust -> wasm -> glue -> JavaScript and types -> sizes.
 *
 *   node build.mjs             everything
 *   node build.mjs --no-wasm   JavaScript and types only, with the wasm and glue already in wasm/
 *
 * `--over-budget` makes an exceeded size budget a warning, for work on something else meanwhile.
 *
 * What is generated lies in `wasm/` and `dist/`. The wasm depends on the sources and the toolchain only:
 * paths of this machine are mapped away, so that two checkouts give the same bytes.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transformSync } from "esbuild";
import { shortenImports } from "./shorten.mjs";
import { withinBudget } from "./size.mjs";

const pkg = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("..", import.meta.url));
const target = "wasm32-unknown-unknown";
const profile = "wasm-release";

/** A failure whose message says what to do; its stack would only hide it. */
class BuildError extends Error {}

/** Runs a program with its output on ours. */
function run(program, args, { remedy, ...options } = {}) {
  try {
    execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"], cwd: root, ...options });
  } catch (error) {
    if (error.code === "ENOENT") throw new BuildError(`${program}: not found; ${remedy}`);
    throw new BuildError(`${program} failed (exit status ${error.status})`);
  }
}

/** Runs a program and returns what it prints, or `undefined` when there is no such program. */
function output(program, args) {
  try {
    return execFileSync(program, args, { encoding: "utf8", cwd: root });
  } catch {
    return undefined;
  }
}

/** The release of wasm-bindgen in Cargo.lock: the command must be exactly the same one. */
function lockedBindgen() {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (version === undefined) throw new BuildError("Cargo.lock names no wasm-bindgen");
  return version;
}

/** Finds the wasm-bindgen command of that release on the path or where cargo installs. */
function findBindgen(version) {
  const remedy = `cargo install wasm-bindgen-cli --version ${version}`;
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  for (const program of ["wasm-bindgen", join(cargoHome, "bin", "wasm-bindgen")]) {
    if (output(program, ["--version"])?.trim().endsWith(` ${version}`)) return program;
  }
  throw new BuildError(`wasm-bindgen ${version} is needed: ${remedy}`);
}

/**
 * The two modules: what every browser with SIMD runs, and a faster one for those with relaxed SIMD (a
 * host without it refuses the whole module). Their glue is the same.
 */
const MODULES = [
  { name: "nearfield", rust: "+simd128", optimiser: [] },
  { name: "nearfield_relaxed", rust: "+simd128,+relaxed-simd", optimiser: ["--enable-relaxed-simd"] },
];

/**
 * Only what is called once, is tiny, or says `#[inline]` is inlined: speed lies in loops whose functions
 * say so, and the rest of a module compresses better as calls. Copies of code that spare a jump, or bring
 * neighbours into one register, cost bytes everywhere and are worth it nowhere: where it matters, registers
 * are filled by hand or in loops. All bits stay: nothing here touches the order of operations.
 */
const COMPACT = [
  "-C llvm-args=-inline-threshold=10",
  "-C llvm-args=-jump-threading-threshold=2",
  "-C llvm-args=-unroll-runtime=false",
  "-C no-vectorize-slp",
];

/** Compiles the crate with these target features and returns the path of the raw wasm. */
function compileRust(features) {
  const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const sysroot = output("rustc", ["--print", "sysroot"])?.trim();
  const remaps = [[root, "/nearfield/"], [cargoHome, "/cargo"], ...(sysroot ? [[sysroot, "/rust"]] : [])]
    // Flags from the environment are split at spaces; such a path stays as it is.
    .filter(([from]) => !from.includes(" "))
    .map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
  const variable = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";
  const flags = [process.env[variable] ?? "", `-C target-feature=${features}`, ...COMPACT, ...remaps].join(" ").trim();
  run(
    "cargo",
    ["build", "--lib", "--locked", "--target", target, "--profile", profile]
      .concat(["--no-default-features", "--features", "wasm,one-backend"]),
    {
      env: { ...process.env, [variable]: flags },
      remedy: "install Rust with the target wasm32-unknown-unknown",
    },
  );
  const targetDir = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  return join(targetDir, target, profile, "nearfield.wasm");
}

/** Makes `wasm/`: the optimised module and the glue as a factory. */
function buildWasm() {
  const bindgen = findBindgen(lockedBindgen());
  const optimiser = join(pkg, "node_modules", ".bin", "wasm-opt");
  if (!existsSync(optimiser)) throw new BuildError("wasm-opt is missing: run npm ci in pkg/");
  const out = join(pkg, "wasm");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  const glues = MODULES.map(({ name, rust, optimiser: more }) => {
    // Each in a folder of its own under the same name: the glue names the module.
    const made = join(out, name);
    const raw = compileRust(rust);
    run(bindgen, [raw, "--target", "no-modules", "--no-typescript", "--out-dir", made, "--out-name", "nearfield"]);
    const wasm = join(made, "nearfield_bg.wasm");
    run(optimiser, [wasm, "-o", wasm, ...OPTIMISE, ...FEATURES, ...more, "--strip-debug", "--strip-producers"]);
    const short = shortenImports(readFileSync(wasm), readFileSync(join(made, "nearfield.js"), "utf8"));
    writeFileSync(join(out, `${name}_bg.wasm`), short.module);
    rmSync(made, { recursive: true });
    return short.glue;
  });
  if (glues.some((glue) => glue !== glues[0])) throw new BuildError("the modules' glue differs");
  writeFileSync(join(out, "glue.js"), asFactory(glues[0]));
}

/**
 * Functions called from one place stay functions unless they are tiny: inlined, they no longer resemble
 * each other, and the compressed module is 3 % larger. The inner loops were inlined by rustc before.
 * Nothing lies in the lowest kilobyte of memory but the last of the stack's megabyte, so sums with small
 * constants may become offsets of loads, which cost nothing: scans are 3 % faster.
 */
const OPTIMISE = ["-O3", "--low-memory-unused", "--one-caller-inline-max-function-size=11"];

/**
 * What the optimiser may assume and emit: SIMD, and what every browser with SIMD has had for longer.
 * These are also the features rustc turns on by itself for this target.
 */
const FEATURES = [
  "--enable-simd",
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
  "--enable-mutable-globals",
  "--enable-multivalue",
  "--enable-reference-types",
];

/**
 * wasm-bindgen's glue keeps its one instance in variables of its own. Inside a function, every call has
 * variables of its own, so every open archive can have an instance of its own. Generated code that
 * nobody reads is minified here, names included; ours keeps its names (see `buildJavaScript`).
 */
function asFactory(glue) {
  if (!/^let wasm_bindgen\b/m.test(glue)) throw new BuildError("unexpected shape of wasm-bindgen's glue");
  const factory = `export function instantiateGlue() {\n${glue}\nreturn wasm_bindgen;\n}\n`;
  return transformSync(factory, { minify: true, format: "esm", target: "es2022" }).code;
}

/** Makes `dist/`: one file per entry point, with types beside it. */
async function buildJavaScript() {
  const out = join(pkg, "dist");
  rmSync(out, { recursive: true, force: true });
  run(join(pkg, "node_modules", ".bin", "tsc"), ["-p", join(pkg, "tsconfig.json")], {
    remedy: "run npm ci in pkg/",
  });
  const shared = {
    absWorkingDir: pkg,
    bundle: true,
    format: "esm",
    target: "es2022",
    outdir: out,
    // Names stay, so that a stack trace reads; comments and spaces go, and source maps bring them back.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: true,
    logLevel: "warning",
  };
  await build({ ...shared, entryPoints: ["src/index.ts"], platform: "browser" });
  await build({ ...shared, entryPoints: ["src/index.node.ts"], platform: "node" });
}

try {
  if (!process.argv.includes("--no-wasm")) buildWasm();
  await buildJavaScript();
  const digest = createHash("sha256").update(readFileSync(join(pkg, "wasm", "nearfield_bg.wasm")));
  console.log(`sha256 of the wasm: ${digest.digest("hex")}`);
  if (!withinBudget(process.argv.slice(2))) throw new BuildError("the package is too large");
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
