/** The module for hosts without relaxed SIMD: the same answers, more slowly. */
import engine from "./engine.mjs";

export default {
  ...engine,
  key: "engine-simd128",
  name: "nearfield, simd128 module",
  judged: false,
  variants: () => [{ name: "" }],

  async start(host) {
    const { instantiateGlue } = await import(host.url("pkg/wasm/glue.js"));
    return { instantiateGlue, wasm: await host.read("pkg/wasm/nearfield_bg.wasm") };
  },
};
