/**
 * The generated glue. `build.mjs` writes the file and bundles it into `dist/`; it is described here by
 * pattern so that the TypeScript compiles before any wasm has been built.
 */
declare module "*/wasm/glue.js" {
  /** Makes glue of its own, hence a wasm instance of its own, on every call. */
  export function instantiateGlue(): import("./contract.js").Glue;
}
