/** Every way in, and every way in which it can go wrong. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { open } from "nearfield";
import { archivePath, failsWith, idOf, ids, NOW, openFilms } from "../support/archive.mjs";
import { listen } from "../support/server.mjs";

const bytes = readFileSync(archivePath);
const alone = { profile: false };

/** Opens, asks one question, disposes. */
async function firstIds(archive, options = {}) {
  const nf = await open(archive, { ...alone, ...options });
  try {
    return ids(nf.recommend({ k: 5, now: NOW }));
  } finally {
    nf.dispose();
  }
}

test("every kind of source gives the same answers", async (t) => {
  const root = await listen(t, (request, response) => {
    if (request.url === "/chunked") response.write(bytes.subarray(0, 1000));
    else response.setHeader("content-length", bytes.length);
    response.end(request.url === "/chunked" ? bytes.subarray(1000) : bytes);
  });
  const expected = await firstIds(archivePath);
  assert.equal(expected.length, 5);
  const sources = {
    "file URL": pathToFileURL(archivePath),
    "file URL as text": pathToFileURL(archivePath).href,
    Uint8Array: new Uint8Array(bytes),
    ArrayBuffer: new Uint8Array(bytes).buffer,
    Blob: new Blob([bytes]),
    "Response without length": new Response(bytes),
    "Response with length": new Response(bytes, {
      headers: { "content-length": String(bytes.length) },
    }),
    address: `${root}films.nf`,
    "address without length": `${root}chunked`,
  };
  for (const [name, source] of Object.entries(sources)) {
    assert.deepEqual(await firstIds(source), expected, name);
  }
});

test("bytes given by the caller are copied, not kept", async (t) => {
  const mine = new Uint8Array(bytes);
  const nf = await open(mine, alone);
  t.after(() => nf.dispose());
  const before = ids(nf.recommend({ now: NOW }));
  mine.fill(0);
  assert.deepEqual(ids(nf.recommend({ now: NOW })), before);
});

test("progress never falls and ends at the total", async () => {
  const steps = [];
  await firstIds(archivePath, { onProgress: (step) => steps.push(step) });
  const size = statSync(archivePath).size;
  assert.deepEqual(steps.at(-1), { receivedBytes: size, totalBytes: size });
  for (const [i, step] of steps.entries()) {
    assert.ok(i === 0 || step.receivedBytes > steps[i - 1].receivedBytes);
  }
});

test("an error thrown by onProgress ends loading with that error", async () => {
  const mine = new Error("mine");
  const onProgress = () => {
    throw mine;
  };
  await assert.rejects(open(archivePath, { ...alone, onProgress }), (error) => error === mine);
});

test("a signal aborts before and during loading", async (t) => {
  await assert.rejects(
    open(archivePath, { ...alone, signal: AbortSignal.abort() }),
    failsWith("E_ABORTED"),
  );
  const root = await listen(t, (_, response) => {
    response.setHeader("content-length", bytes.length);
    response.write(bytes.subarray(0, 1000)); // and never the rest
  });
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await assert.rejects(
    open(root, { ...alone, signal: controller.signal, onProgress }),
    failsWith("E_ABORTED", (error) => error.cause?.message === "enough"),
  );
});

test("a signal aborts a Response that was ready before", async () => {
  const controller = new AbortController();
  const endless = new ReadableStream({
    start: (stream) => stream.enqueue(bytes.subarray(0, 1000)),
  });
  const opening = open(new Response(endless), {
    ...alone,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  await assert.rejects(opening, failsWith("E_ABORTED"));
});

test("HTTP failures are E_FETCH, retryable where waiting may help", async (t) => {
  const root = await listen(t, (request, response) => {
    response.statusCode = Number(request.url.slice(1));
    response.end();
  });
  for (const [status, retryable] of [[404, false], [403, false], [429, true], [503, true]]) {
    await assert.rejects(
      open(`${root}${status}`, alone),
      failsWith("E_FETCH", (e) => e.details.status === status && e.retryable === retryable),
    );
  }
  const gone = await listen(t, () => {});
  const closed = gone.replace(/:\d+/, ":1");
  await assert.rejects(open(closed, alone), failsWith("E_FETCH", (e) => e.retryable));
  await assert.rejects(open("no/such/file.nf", alone), failsWith("E_FETCH"));
});

test("a transfer that breaks off or brings too few bytes is E_FETCH", async (t) => {
  const root = await listen(t, (_, response) => {
    response.setHeader("content-length", bytes.length);
    response.write(bytes.subarray(0, 1000), () => response.destroy());
  });
  await assert.rejects(open(root, alone), failsWith("E_FETCH", (e) => e.retryable));
  const stated = { headers: { "content-length": String(bytes.length) } };
  for (const body of [bytes.subarray(0, -1), new Blob([bytes, "x"])]) {
    await assert.rejects(
      open(new Response(body, stated), alone),
      failsWith("E_FETCH", (e) => e.details.expected_bytes === bytes.length),
    );
  }
});

// The engine's addresses have 32 bits: it took a length for its remainder, and what was written then lay
// outside.
test("an archive that no wasm memory can hold is E_MEMORY", async () => {
  for (const length of [2 ** 32, 2 ** 32 + 64, 9e9]) {
    const headers = { "content-length": String(length) };
    const long = new Response(bytes.subarray(0, 4096), { headers });
    await assert.rejects(
      open(long, alone),
      failsWith("E_MEMORY", ({ details, retryable }) => details.needed_bytes === length && !retryable),
      `${length}`,
    );
  }
});

test("an HTML page instead of an archive or wasm is named as such", async () => {
  const page = new TextEncoder().encode("<!doctype html><title>Not found</title>");
  const html = (error) => error.details.found === "html";
  await assert.rejects(open(page, alone), failsWith("E_FETCH", html));
  await assert.rejects(
    open(archivePath, { ...alone, wasm: page }),
    failsWith("E_FETCH", (error) => html(error) && error.message.includes("optimizeDeps.exclude")),
  );
});

test("damaged bytes are E_CORRUPT", async () => {
  await assert.rejects(open(new Uint8Array(0), alone), failsWith("E_CORRUPT"));
  await assert.rejects(open(new Uint8Array(4096), alone), failsWith("E_CORRUPT"));
  await assert.rejects(open(bytes.subarray(0, bytes.length - 64), alone), failsWith("E_CORRUPT"));
  const flipped = new Uint8Array(bytes);
  flipped[flipped.length >> 1] ^= 1;
  await assert.rejects(open(flipped, alone), failsWith("E_CORRUPT"));
});

test("the wasm module may be given as address, bytes, Response or compiled", async () => {
  const address = new URL("../../wasm/nearfield_bg.wasm", import.meta.url);
  const file = readFileSync(address);
  const expected = await firstIds(archivePath);
  for (const wasm of [address, file, new Response(file), await WebAssembly.compile(file)]) {
    assert.deepEqual(await firstIds(archivePath, { wasm }), expected);
  }
  await assert.rejects(open(archivePath, { ...alone, wasm: 7 }), failsWith("E_ARG"));
  await assert.rejects(open(archivePath, { ...alone, wasm: new Uint8Array(8) }), failsWith("E_FETCH"));
});

test("a host without SIMD is told so", async (t) => {
  t.mock.method(WebAssembly, "validate", () => false);
  await assert.rejects(
    open(archivePath, alone),
    failsWith("E_UNSUPPORTED", (error) => error.details.feature === "simd128"),
  );
});

test("two open archives have nothing in common", async (t) => {
  const [one, two] = [await openFilms(t), await openFilms(t)];
  const before = two.recommend({ now: NOW });
  one.profile.record({ item: idOf(one, "Alien"), kind: "like", at: NOW });
  assert.deepEqual(two.recommend({ now: NOW }), before);
  one.dispose();
  assert.deepEqual(two.recommend({ now: NOW }), before);
});

test("after dispose every call says E_NOT_READY", async (t) => {
  const nf = await openFilms(t);
  nf.dispose();
  nf.dispose();
  for (const call of [
    () => nf.recommend(),
    () => nf.has("x"),
    () => nf.profile.record({ item: "x", kind: "like" }),
    () => nf.profile.entries(),
  ]) {
    assert.throws(call, failsWith("E_NOT_READY"));
  }
});
