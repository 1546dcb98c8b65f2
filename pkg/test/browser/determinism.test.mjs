/** The same archive, profile and requests give the same bits in Node and in a page, by either module. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../../../www/serve.mjs";
import { archivePath, openFilms } from "../support/archive.mjs";
import { launch } from "../support/chromium.mjs";
import { digestOfSlates } from "../support/slates.mjs";

const pkg = fileURLToPath(new URL("../..", import.meta.url));

test("400 slates have the same digest in Node and in Chromium", async (t) => {
  const inNode = await digestOfSlates(await openFilms(t));
  for (const basis of ["taste", "similarity", "title"]) assert.ok(inNode.basis[basis] > 20, basis);
  assert.deepEqual(await digestOfSlates(await openFilms(t)), inNode, "twice in Node");

  const scratch = mkdtempSync(join(tmpdir(), "nearfield-determinism-"));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const page = join(scratch, "index.html");
  writeFileSync(page, '<!doctype html><meta charset="utf-8"><title>test</title>');
  const server = await serve(pkg, { files: { "/": page, "/films.nf": archivePath } });
  t.after(() => server.close());
  const browser = await launch();
  t.after(() => browser.close());
  const tab = await browser.newPage();
  await tab.goto(server.address);
  // [option, what it becomes here: Chromium has had relaxed SIMD since release 114].
  for (const [engine, kind] of [["simd128", "simd128"], ["relaxed", "relaxed"], ["auto", "relaxed"]]) {
    const inPage = await tab.evaluate(async (option) => {
      const { open } = await import("./dist/index.js");
      const { digestOfSlates } = await import("./test/support/slates.mjs");
      const nf = await open("/films.nf", { profile: false, engine: option });
      return { kind: nf.engine, ...(await digestOfSlates(nf)) };
    }, engine);
    assert.deepEqual(inPage, { kind, ...inNode }, engine);
  }
});
