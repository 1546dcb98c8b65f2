/** Which of the two modules runs, and that nothing else depends on it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { open } from "nearfield";
import { failsWith, fixture, openFilms } from "../support/archive.mjs";
import { digestOfSlates } from "../support/slates.mjs";

// Node 20 has relaxed SIMD behind this flag only; later releases have it anyway.
setFlagsFromString("--experimental-wasm-relaxed-simd");

const simd128 = new URL("../../wasm/nearfield_bg.wasm", import.meta.url);
const relaxed = new URL("../../wasm/nearfield_relaxed_bg.wasm", import.meta.url);
const small = readFileSync(fixture("small-v1.nf"));

/** Opens the small archive and tells which module runs. */
async function engineOf(options) {
  const nf = await open(small, { profile: false, ...options });
  nf.dispose();
  return nf.engine;
}

/**
 * A host whose relaxed dot product is `dot(signed, short, i, before)` for the four bytes from `4 * i` on,
 * where `before` is what the sum is added to. (Node 20's own is not right: its baseline compiler doubles
 * sums.)
 */
function hostWith(t, dot) {
  const RealInstance = WebAssembly.Instance;
  let asked = 0;
  const Host = function Instance(...args) {
    const instance = new RealInstance(...args);
    const { m: memory, f } = instance.exports;
    if (f === undefined || memory === undefined) return instance;
    const probe = () => {
      asked += 1;
      const signed = new Int8Array(memory.buffer, 0, 16);
      const short = new Uint8Array(memory.buffer, 16, 16);
      const before = new Int32Array(memory.buffer, 48, 4);
      new Int32Array(memory.buffer, 32, 4).forEach((_, i, sums) => {
        sums[i] = dot(signed, short, i, before[i]);
      });
    };
    return Object.create(RealInstance.prototype, { exports: { value: { m: memory, f: probe } } });
  };
  Host.prototype = RealInstance.prototype;
  t.after(() => {
    WebAssembly.Instance = RealInstance;
  });
  WebAssembly.Instance = Host;
  return () => asked;
}

const product = (a, b, at) => a[at] * b[at];
const four = (a, b, i) => [0, 1, 2, 3].reduce((sum, j) => sum + product(a, b, 4 * i + j), 0);
const right = (a, b, i, before) => before + four(a, b, i);
const clamp = (x, limit) => Math.max(-limit, Math.min(limit, x));

test("the probe finds relaxed SIMD where it is and computes rightly", async (t) => {
  const asked = hostWith(t, right);
  assert.equal(await engineOf({}), "relaxed");
  assert.ok(asked() > 10, "the sums came from the host of this test");
  assert.equal(await engineOf({ engine: "relaxed" }), "relaxed");
  assert.equal(await engineOf({ engine: "simd128" }), "simd128");
});

const DEFECTS = {
  "sums doubled": (a, b, i, before) => 2 * right(a, b, i, before),
  "products doubled": (a, b, i, before) => before + 2 * four(a, b, i),
  "nothing computed": () => 0,
  "nothing added to what was there": (a, b, i) => four(a, b, i),
  "operands swapped": (a, b, i, before) => right(new Uint8Array(a), new Int8Array(b), i, before),
  "signs lost": (a, b, i, before) => right(a.map(Math.abs), b, i, before),
  "pairs crossed": (a, b, i, before) =>
    before + [1, 0, 3, 2].reduce((sum, j, at) => sum + a[4 * i + at] * b[4 * i + j], 0),
  "lanes in reverse": (a, b, i, before) => right(a, b, 3 - i, before),
  "pairs saturated at 14 bits": (a, b, i, before) =>
    before +
    clamp(product(a, b, 4 * i) + product(a, b, 4 * i + 1), 16_383) +
    clamp(product(a, b, 4 * i + 2) + product(a, b, 4 * i + 3), 16_383),
  "products saturated at 14 bits": (a, b, i, before) =>
    [0, 1, 2, 3].reduce((sum, j) => sum + clamp(product(a, b, 4 * i + j), 8191), before),
  "products of 7 bits by 6": (a, b, i, before) => right(a, b.map((x) => x & 63), i, before),
  "one lane wrong": (a, b, i, before) => right(a, b, i, before) + (i === 2 && a[10] === -127 ? 1 : 0),
};

for (const [name, dot] of Object.entries(DEFECTS)) {
  test(`a host with ${name} runs simd128`, async (t) => {
    const asked = hostWith(t, dot);
    assert.equal(await engineOf({}), "simd128");
    assert.ok(asked() > 0);
    const unsupported = failsWith("E_UNSUPPORTED", ({ details }) => details.feature === "relaxed-simd");
    await assert.rejects(engineOf({ engine: "relaxed" }), unsupported);
    // Not even when its module is the only one given.
    await assert.rejects(engineOf({ wasm: relaxed }), unsupported);
  });
}

test("a host that refuses relaxed instructions runs simd128", async (t) => {
  const RealModule = WebAssembly.Module;
  t.after(() => {
    WebAssembly.Module = RealModule;
  });
  WebAssembly.Module = class extends RealModule {
    constructor() {
      throw new WebAssembly.CompileError("unknown opcode");
    }
  };
  assert.equal(await engineOf({}), "simd128");
});

test("of a pair of modules the fitting one is read, and the other is not", async (t) => {
  hostWith(t, right);
  const wasm = { simd128, relaxed };
  assert.equal(await engineOf({ wasm }), "relaxed");
  assert.equal(await engineOf({ wasm, engine: "simd128" }), "simd128");
  const missing = new URL("no-such.wasm", simd128);
  assert.equal(await engineOf({ wasm: { simd128: missing, relaxed: readFileSync(relaxed) } }), "relaxed");
  assert.equal(await engineOf({ wasm: { simd128, relaxed: missing }, engine: "simd128" }), "simd128");
});

test("a module of another kind than asked for is E_ARG", async (t) => {
  hostWith(t, right);
  for (const options of [
    { wasm: { simd128: relaxed, relaxed: simd128 } },
    { wasm: simd128, engine: "relaxed" },
    { wasm: relaxed, engine: "simd128" },
    { wasm: { relaxed }, engine: "simd128" },
    { wasm: { simd128, relaxed, fast: relaxed } },
    { engine: "fast" },
  ]) {
    await assert.rejects(engineOf(options), failsWith("E_ARG"), JSON.stringify(options));
  }
  assert.equal(await engineOf({ wasm: simd128 }), "simd128");
  assert.equal(await engineOf({ wasm: await WebAssembly.compile(readFileSync(relaxed)) }), "relaxed");
});

test("the module that the probe chooses here answers as simd128 does", async (t) => {
  // Behind the flag Node 20 has a relaxed SIMD that doubles; Chromium's and Firefox's answers by both
  // modules are compared in test/browser/determinism.test.mjs and in the repository's tests/engines.
  const [one, two] = [await openFilms(t, { engine: "simd128" }), await openFilms(t)];
  const expected = await digestOfSlates(one);
  assert.deepEqual(await digestOfSlates(two), expected, two.engine);
  for (const basis of ["taste", "similarity"]) assert.ok(expected.basis[basis] > 20, basis);
  // More than one list, other metrics, shorter codes.
  for (const name of ["small-ip-v1.nf", "small-euclid-v1.nf"]) {
    const answers = async (engine) => {
      const nf = await open(fixture(name), { profile: false, engine });
      t.after(() => nf.dispose());
      return Array.from({ length: 300 }, (_, i) => nf.similar(String(i), { k: 25, recall: 0.9 }));
    };
    assert.deepEqual(await answers("auto"), await answers("simd128"), name);
  }
});
