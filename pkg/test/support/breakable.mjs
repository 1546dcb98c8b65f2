/** Breaks an export of the real module from outside: the call reaches wasm's door and traps there. */
import assert from "node:assert/strict";

/**
 * Makes an export of every instance made from now on throw what a trap throws, for those calls whose
 * arguments `armed.when` picks, while `armed.times` is above zero.
 */
export function breakable(t, name) {
  const armed = { times: 0, hits: 0, when: () => true };
  const RealInstance = WebAssembly.Instance;
  const disguise = (instance) => {
    // Node has wasm of its own (its HTTP parser), which must go on working.
    if (instance.exports?.__wbg_engine_free === undefined) return instance;
    assert.equal(typeof instance.exports[name], "function", `the module exports ${name}`);
    const exports = { ...instance.exports };
    exports[name] = (...args) => {
      if (armed.times > 0 && armed.when(...args)) {
        armed.times -= 1;
        armed.hits += 1;
        throw new WebAssembly.RuntimeError("unreachable");
      }
      return instance.exports[name](...args);
    };
    return Object.create(RealInstance.prototype, { exports: { value: exports } });
  };
  const realInstantiate = WebAssembly.instantiate;
  t.mock.method(WebAssembly, "instantiate", async (...args) =>
    disguise(await realInstantiate(...args)),
  );
  const Disguised = function Instance(...args) {
    return disguise(new RealInstance(...args));
  };
  Disguised.prototype = RealInstance.prototype;
  WebAssembly.Instance = Disguised;
  t.after(() => {
    WebAssembly.Instance = RealInstance;
  });
  return armed;
}
