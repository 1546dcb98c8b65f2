/**
 * nearfield's wasm module without the package around it: what the wrapper costs, and the steps from the
 * bytes to the first answer one by one.
 */
import nearfield, { wasmFor } from "./nearfield.mjs";

/** What a stream is cut into. */
const PIECES = 16;
const IN_PIECES = "copy into linear memory and open, in pieces";

/** An engine with memory for an archive of so many bytes, and a way to write there. */
async function reserve({ instantiateGlue, wasm }, byteLength, mark) {
  const module = await WebAssembly.compile(wasm);
  mark("compile");
  const glue = instantiateGlue();
  const { memory } = glue.initSync({ module });
  mark("instantiate");
  const engine = new glue.Engine(byteLength);
  mark("reserve memory");
  const append = (piece, at = 0) => new Uint8Array(memory.buffer, engine.address() + at, piece.length).set(piece);
  return { engine, append, memory };
}

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

  async load(code, bytes, _, mark) {
    const { append, ...loaded } = await reserve(code, bytes.byteLength, mark);
    append(new Uint8Array(bytes));
    mark("copy into linear memory");
    loaded.engine.arrive(bytes.byteLength);
    mark("open");
    return loaded;
  },

  /**
   * As from the network: the engine opens the archive as soon as it can. (The package's loader has it look where
   * sections end, and not at each piece.)
   */
  streamed: {
    lastByte: IN_PIECES,
    async load(code, bytes, _, mark) {
      const { append, ...loaded } = await reserve(code, bytes.byteLength, mark);
      const { engine } = loaded;
      const all = new Uint8Array(bytes);
      const length = Math.ceil(all.length / PIECES);
      for (let start = 0; start < all.length; start += length) {
        if (start > 0) engine.arrive(start);
        append(all.subarray(start, start + length), start);
      }
      mark(IN_PIECES);
      engine.arrive(all.length);
      mark("take notice of the last piece");
      return loaded;
    },
  },

  /** The wrapper would make the request's text anew each time; here that is left out. */
  query: (loaded, vector, k, variant) => {
    const { engine } = loaded;
    const { below, recall } = variant;
    if (below === undefined) return nearest(loaded, vector, k, recall === "exhaustive" ? Infinity : NaN);
    variant.request ??= JSON.stringify({ k, recall, where: `sieve < ${below}` });
    return engine.similar(undefined, vector, variant.request);
  },

  rows: ({ engine }, { ordinals }) => engine.ids(ordinals).map(Number),
};

/** An answer, read from linear memory as the package does: ordinals and scores. */
function nearest(loaded, vector, k, recall) {
  const at = loaded.engine.nearest(vector, k, recall) / 8;
  // Growing memory detaches every earlier view of it, and leaves it empty.
  if (!loaded.numbers?.length) loaded.numbers = new Float64Array(loaded.memory.buffer);
  const { numbers } = loaded;
  const n = numbers[at];
  const [ordinals, scores] = [new Array(n), new Array(n)];
  for (let i = 0; i < n; i += 1) {
    ordinals[i] = numbers[at + 3 + i];
    scores[i] = numbers[at + 3 + n + i];
  }
  return { ordinals, scores };
}

export default engine;
