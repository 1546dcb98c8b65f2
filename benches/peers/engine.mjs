/**
 * nearfield's wasm module without the package around it: what the wrapper costs, and the steps from the
 * bytes to the first answer one by one.
 */
import nearfield, { wasmFor } from "./nearfield.mjs";

const engine = {
  key: "engine",
  name: "nearfield, engine alone",
  judged: true,
  /** The step of `load` after which only the archive is missing. */
  instantiated: "instantiate",
  /** The step of `load` after which the whole archive lies in linear memory. */
  lastByte: "copy into linear memory",
  /** Filters repeat from call to call, so that their bitmaps are ready; see `catalog::cache`. */
  variants: ({ filters = [] }) => [
    ...nearfield.variants(),
    ...filters.map((below) => ({ name: `${below} % pass`, below })),
    ...filters.map((below) => ({ name: `${below} % pass, exhaustive`, below, exhaustive: true, recall: "exhaustive" })),
  ],
  prepare: nearfield.prepare,

  async start(host) {
    const { instantiateGlue } = await import(host.url("pkg/wasm/glue.js"));
    return { instantiateGlue, wasm: await wasmFor(host) };
  },

  async load({ instantiateGlue, wasm }, bytes, _, mark) {
    const module = await WebAssembly.compile(wasm);
    mark("compile");
    const glue = instantiateGlue();
    const { memory } = glue.initSync({ module });
    mark("instantiate");
    const engine = new glue.Engine(bytes.byteLength);
    mark("reserve memory");
    new Uint8Array(memory.buffer, engine.address(), bytes.byteLength).set(new Uint8Array(bytes));
    mark("copy into linear memory");
    engine.arrive(bytes.byteLength);
    mark("open");
    return engine;
  },

  /** The wrapper would make the request's text anew each time; here that is left out. */
  query: (engine, vector, k, variant) => {
    const { below, recall } = variant;
    if (below === undefined) return engine.nearest(vector, k, recall === "exhaustive" ? Infinity : NaN);
    variant.request ??= JSON.stringify({ k, recall, where: `sieve < ${below}` });
    return engine.similar(undefined, vector, variant.request);
  },

  rows: (engine, found) =>
    engine.ids(found.ordinals ?? Uint32Array.from(found.subarray(2, 1 + found.length / 2))).map(Number),
};

export default engine;
