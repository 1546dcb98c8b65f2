/**
 * Both wasm modules and the package, in the engines of three browsers: the same bits as in Node, and a
 * profile that is kept.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { archivePath, openFilms } from "../../pkg/test/support/archive.mjs";
import { digestOfSlates } from "../../pkg/test/support/slates.mjs";
import { instantiateGlue } from "../../pkg/wasm/glue.js";
import { serve } from "../../www/serve.mjs";
import { BROWSERS } from "./browsers.mjs";
import { answers, CASES, work } from "./work.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const FILES = { simd128: "nearfield_bg.wasm", relaxed: "nearfield_relaxed_bg.wasm" };

const wasm = (kind) => readFileSync(join(root, "pkg", "wasm", FILES[kind]));
const read = (archive) => readFileSync(join(root, "tests", "fixtures", `${archive}.nf`));
const inNode = new WebAssembly.Module(wasm("simd128"));

let expected;
let server;

before(async () => {
  expected = await work(instantiateGlue, inNode, read);
  server = await serve(root, { files: { "/films.nf": archivePath } });
});

after(() => server?.close());

test("the work asks what it is for", () => {
  assert.ok(expected.n >= 1000, `${expected.n} questions`);
  const metrics = new Set(CASES.map(({ metric }) => metric));
  assert.deepEqual([...metrics].sort(), ["cosine", "euclidean", "inner-product"]);
  for (const asked of CASES) {
    const given = answers(asked, instantiateGlue, inNode, read(asked.archive));
    const put = (what) => given.filter(({ question }) => what.test(question)).length;
    for (const what of [/"where"/, /"recall":"exhaustive"/, /"recall":0/, /"exclude"/]) {
      assert.ok(put(what) > 5, `${asked.name}: ${what}`);
    }
    // Nothing but empty or equal answers would be the same anywhere.
    assert.ok(new Set(given.map(({ answer }) => answer)).size > 0.6 * asked.n, asked.name);
    assert.ok(given.filter(({ answer }) => /^\d+=/.test(answer)).length > 0.8 * asked.n, asked.name);
  }
});

/** Fails with the first answer of a host that is not Node's. */
async function compare(name, kind, found, browser) {
  if (found.digest === expected.digest) return;
  const differing = CASES.filter((_, i) => found.cases[i] !== expected.cases[i]);
  const [asked] = differing;
  const right = answers(asked, instantiateGlue, inNode, read(asked.archive));
  const given = await browser.call("answers", FILES[kind], asked.name);
  const i = right.findIndex(({ answer }, i) => answer !== given[i].answer);
  const what = `${name}, ${kind}: ${differing.length} of ${CASES.length} cases differ, first "${asked.name}"`;
  // Asked again, it is another compiler of the host that answers, perhaps.
  if (i < 0) assert.fail(`${what}, which is right when it is asked again`);
  assert.fail(
    `${what}, question ${i}: ${right[i].question}\nexpected ${right[i].answer}\nfound    ${given[i].answer}`,
  );
}

for (const { name, relaxed, launch } of BROWSERS) {
  describe(name, () => {
    let browser;
    const done = new Map();
    /** The work by one module, done once. */
    const worked = (kind) => {
      if (!done.has(kind)) done.set(kind, browser.call("work", FILES[kind]));
      return done.get(kind);
    };

    before(async () => {
      browser = await launch();
      console.log(`engines: ${name} is ${browser.version}`);
      await browser.open(`${server.address}tests/engines/page.html`);
    });
    after(() => browser?.close());

    for (const kind of relaxed ? ["simd128", "relaxed"] : ["simd128"]) {
      test(`${name}, ${kind}: loads, and answers as Node does`, async () => {
        const { length } = wasm(kind);
        assert.deepEqual(await browser.call("load", FILES[kind]), { length, valid: true });
        const found = await worked(kind);
        assert.equal(found.n, expected.n);
        await compare(name, kind, found, browser);
      });
    }

    if (!relaxed) {
      test(`${name}, relaxed: is refused, for there is no relaxed SIMD`, async () => {
        const { length } = wasm("relaxed");
        const found = await browser.call("load", FILES.relaxed);
        const changed = `${name} ${browser.version} has relaxed SIMD now: say so in browsers.mjs`;
        assert.deepEqual(found, { length, valid: false, refused: "CompileError" }, changed);
      });
    }

    test(`${name}: the package's probe chooses relaxed exactly where that is right`, async () => {
      const { valid } = await browser.call("load", FILES.relaxed);
      const isRight = valid && (await worked("relaxed")).digest === expected.digest;
      const chosen = { value: isRight ? "relaxed" : "simd128" };
      const refused = { name: "NearfieldError", code: "E_UNSUPPORTED", feature: "relaxed-simd" };
      assert.deepEqual(await browser.call("kind", "auto"), chosen, "auto");
      assert.deepEqual(await browser.call("kind", "simd128"), { value: "simd128" });
      assert.deepEqual(await browser.call("kind", "relaxed"), isRight ? chosen : refused, "relaxed");
    });

    for (const kind of relaxed ? ["simd128", "relaxed"] : ["simd128"]) {
      test(`${name}, ${kind}: 400 slates of the film archive through the package are Node's`, async (t) => {
        const right = await digestOfSlates(await openFilms(t, { engine: "simd128" }));
        assert.deepEqual(await browser.call("slates", kind), { kind, ...right });
      });
    }

    test(`${name}: the package keeps a profile in IndexedDB, over a reload`, async () => {
      assert.deepEqual(await browser.call("person"), { storage: "indexeddb", entries: [] });
      const prior = await browser.call("slate");
      const { entries, names } = await browser.call("record", ["17", "42", "7"]);
      assert.deepEqual([entries.length, names], [3, ["default"]]);
      const own = await browser.call("slate");
      assert.equal(own.slate.basis, "taste");
      assert.equal(own.similar.items.length, 5);
      assert.notDeepEqual(own, prior);
      // What went wrong so far, which the page forgets now.
      assert.deepEqual(await browser.call("problems"), []);
      await browser.reload();
      assert.deepEqual(await browser.call("person"), { storage: "indexeddb", entries });
      assert.deepEqual(await browser.call("slate"), own);
    });

    test(`${name}: nothing was thrown unseen, nothing was against the page's policy`, async () => {
      assert.deepEqual(await browser.call("problems"), []);
    });
  });
}
