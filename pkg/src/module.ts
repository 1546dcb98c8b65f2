import { NearfieldError, throwIfAborted } from "./errors.js";
import { anything, readOptions, wrong } from "./options.js";
import type { Platform } from "./platform.js";
import { hasRelaxedDot } from "./relaxed.js";
import { bytesSource, looksLikeHtml, readAll, responseSource } from "./source.js";
import type { EngineKind, WasmBytes, WasmModules, WasmSource } from "./types.js";

/**
 * The smallest module that needs 128-bit SIMD: one function, without parameters, giving the vector
 * `i8x16.splat(i32.const 0)`. A host without SIMD finds it invalid.
 */
const SIMD_PROBE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...[1, 5, 1, 0x60, 0, 1, 0x7b], // type 0: () -> v128
  ...[3, 2, 1, 0], // function 0 has type 0
  ...[10, 8, 1, 6, 0, 0x41, 0, 0xfd, 15, 0x0b], // its body
);

/**
 * Checks that the host can run the engine at all.
 *
 * @throws NearfieldError `E_UNSUPPORTED`, with `details.feature` `"webassembly"` or `"simd128"`.
 */
export function requireSimd(): void {
  if (typeof WebAssembly !== "object") {
    throw new NearfieldError("E_UNSUPPORTED", "this host has no WebAssembly", {
      feature: "webassembly",
    });
  }
  if (!WebAssembly.validate(SIMD_PROBE)) {
    throw new NearfieldError(
      "E_UNSUPPORTED",
      "this host's WebAssembly has no 128-bit SIMD (nearfield needs Chrome 96, Firefox 92, Safari 16.4 or later)",
      { feature: "simd128" },
    );
  }
}

/**
 * Which of the two modules to run.
 *
 * @throws NearfieldError `E_UNSUPPORTED`, with `details.feature` as in {@link requireSimd} or
 *   `"relaxed-simd"` when that was asked for and the host's does not compute as the engine needs it.
 */
function chooseKind(engine: EngineKind | "auto"): EngineKind {
  requireSimd();
  if (engine === "simd128") return engine;
  if (hasRelaxedDot()) return "relaxed";
  if (engine === "auto") return "simd128";
  throw new NearfieldError(
    "E_UNSUPPORTED",
    'this host has no relaxed SIMD, or computes it wrongly; leave out the option engine, or give "simd128"',
    { feature: "relaxed-simd" },
  );
}

/** Which of the two a module is, by the note that its compiler left in it. */
export function kindOf(module: WebAssembly.Module): EngineKind {
  const notes = WebAssembly.Module.customSections(module, "target_features");
  const features = notes.map((note) => new TextDecoder().decode(note)).join();
  return features.includes("relaxed-simd") ? "relaxed" : "simd128";
}

/**
 * Compiled modules by the address of the default wasm file: several archives in one page compile it
 * once. A failed attempt is forgotten, so that the next `open` tries again.
 */
const compiledDefaults = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Compiles the wasm module that suits this host, or takes it as given.
 *
 * Bytes are fetched and then compiled, not streamed into the compiler: the module is some tens of
 * kilobytes, and this way a server's wrong MIME type does no harm and an HTML page is recognised.
 *
 * @throws NearfieldError `E_UNSUPPORTED`, `E_FETCH`, `E_ABORTED`, `E_ARG` for a module of another kind
 *   than `engine`.
 */
export async function compile(
  wasm: WasmSource | WasmModules | undefined,
  engine: EngineKind | "auto",
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const chosen = chooseKind(engine);
  if (wasm === undefined) return compileDefault(platform, chosen, signal);
  const source = isPair(wasm) ? pairMember(wasm, chosen) : wasm;
  const module = isModule(source) ? source : await compileFrom(source, platform, signal);
  const kind = kindOf(module);
  if (isPair(wasm) || engine !== "auto") {
    if (kind !== chosen) throw wrong("open option wasm", `the module for ${chosen}`, `the one for ${kind}`);
  } else {
    // The only module there is decides, but not for a host on which it would answer wrongly.
    chooseKind(kind);
  }
  return module;
}

async function compileDefault(
  platform: Platform,
  kind: EngineKind,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  const address = platform.defaultWasm(kind);
  let compiled = compiledDefaults.get(address.href);
  if (compiled === undefined) {
    // Shared between callers, hence without the signal of one of them.
    compiled = compileFrom(address, platform, undefined);
    compiledDefaults.set(address.href, compiled);
    compiled.catch(() => compiledDefaults.delete(address.href));
  }
  const module = await compiled;
  throwIfAborted(signal);
  return module;
}

/** Only a pair has members of its own under these names. */
function isPair(wasm: WasmSource | WasmModules): wasm is WasmModules {
  return typeof wasm === "object" && wasm !== null && (Object.hasOwn(wasm, "simd128") || Object.hasOwn(wasm, "relaxed"));
}

function pairMember(wasm: WasmModules, kind: EngineKind): WasmSource {
  const pair = readOptions("open option wasm", wasm, { simd128: anything, relaxed: anything });
  const source = pair[kind];
  if (source === undefined) throw wrong(`open option wasm.${kind}`, "a module", source);
  return source as WasmSource;
}

/** A guard of its own: to TypeScript a `Module` is an empty interface, which every type satisfies. */
function isModule(wasm: WasmSource): wasm is WebAssembly.Module {
  return wasm instanceof WebAssembly.Module;
}

async function compileFrom(
  wasm: WasmBytes,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<WebAssembly.Module> {
  let source;
  if (typeof wasm === "string" || wasm instanceof URL) source = await platform.locate(wasm, signal);
  else if (wasm instanceof ArrayBuffer || wasm instanceof Uint8Array) source = bytesSource(wasm);
  else if (wasm instanceof Response) source = responseSource(wasm);
  else throw wrong("open option wasm", "an address, a Response, bytes or a WebAssembly.Module", wasm);
  const bytes = await readAll(source, signal);
  const { origin } = source;
  if (looksLikeHtml(bytes)) {
    throw new NearfieldError(
      "E_FETCH",
      `${origin}: an HTML page came instead of the wasm module. If a development server moved the ` +
        "package (Vite: add nearfield to optimizeDeps.exclude), or a bundler did not copy " +
        "nearfield.wasm, give its address as the option wasm",
      { origin, found: "html" },
    );
  }
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new NearfieldError("E_FETCH", `${origin}: not a wasm module this host can run`, { origin }, {
      cause,
    });
  }
}
