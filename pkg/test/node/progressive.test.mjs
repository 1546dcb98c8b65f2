/** Answers while the archive is still arriving, and what becomes of them when the rest does not come. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { open } from "nearfield";
import { failsWith, fixture, ids, NOW } from "../support/archive.mjs";
import { breakable } from "../support/breakable.mjs";
import { drip, sectionsOf } from "../support/drip.mjs";
import { listen } from "../support/server.mjs";

const bytes = readFileSync(fixture("small-v1.nf"));
const sections = sectionsOf(bytes);
const endOf = (name) => sections[name][1];
const progressive = { profile: false, progressive: true };

/** Opens an archive of which the bytes up to the end of `section` have come. */
async function openUpTo(t, section, options = {}, archive = bytes) {
  const source = drip(archive);
  const opening = open(source.response, { ...progressive, ...options });
  await source.upTo(endOf(section));
  const nf = await opening;
  t.after(() => nf.dispose());
  return { nf, source };
}

async function openWhole(t) {
  const nf = await open(bytes, { profile: false });
  t.after(() => nf.dispose());
  return nf;
}

/** The archive with one bit turned over in the middle of a section. */
function damaged(section) {
  const copy = new Uint8Array(bytes);
  const [start, end] = sections[section];
  copy[(start + end) >> 1] ^= 1;
  return copy;
}

const state = (promise) =>
  Promise.race([promise.then(() => "resolved", () => "rejected"), new Promise((r) => setTimeout(r, 0, "pending"))]);

/** Answers of every kind that needs neither titles nor texts. */
function ask(nf) {
  const list = { k: 20, where: "year < 2000", exclude: ["3"] };
  return [nf.similar("7"), nf.similar("8", list), nf.recommend({ ...list, explain: 2, now: NOW })];
}

test("prefixes answer approximately, then the rest makes it exact", async (t) => {
  const { nf, source } = await openUpTo(t, "codes");
  const whole = await openWhole(t);
  for (const each of [nf, whole]) each.profile.record({ item: "5", kind: "like", at: NOW });
  assert.equal(await state(nf.loaded), "pending");
  assert.deepEqual(nf.info, whole.info);
  for (const [i, expected] of ask(whole).entries()) {
    const answer = ask(nf)[i];
    assert.equal(answer.approximate, true);
    assert.equal("approximate" in expected, false);
    // What may be an answer is never approximate.
    assert.equal(answer.qualifying, expected.qualifying);
    assert.equal(answer.items.length, expected.items.length);
    assert.notDeepEqual(answer.items, expected.items, "scores come from prefixes");
    const common = ids(answer).filter((id) => ids(expected).includes(id)).length;
    assert.ok(common >= 0.8 * expected.items.length, `${common} of ${expected.items.length}`);
  }
  for (const { id } of nf.similar("8", { k: 300, where: "year < 2000", exclude: ["3"] }).items) {
    assert.ok(whole.item(id).fields.year < 2000 && id !== "3");
  }
  await source.upTo(endOf("refining") - 1);
  assert.equal(nf.similar("7").approximate, true);
  await source.upTo(endOf("refining"));
  assert.deepEqual(ask(nf), ask(whole));
  assert.equal(await state(nf.loaded), "pending");
  await source.upTo(bytes.length);
  source.end();
  await nf.loaded;
  assert.deepEqual(ask(nf), ask(whole));
});

test("titles and texts that have not arrived are E_NOT_READY and come later", async (t) => {
  const { nf, source } = await openUpTo(t, "refining");
  const whole = await openWhole(t);
  const soon = failsWith("E_NOT_READY", (error) => error.retryable);
  const title = whole.item("7").fields.title;
  const search = (each) => each.search(title, { k: 3 });
  const texts = (each) => [each.item("7"), each.similar("7", { fields: ["title"] })];
  assert.throws(() => search(nf), soon);
  for (const call of [() => nf.item("7"), () => nf.similar("7", { fields: ["title"] })]) assert.throws(call, soon);
  assert.deepEqual(nf.item("7", ["year", "genres"]), whole.item("7", ["year", "genres"]));
  assert.deepEqual(nf.facets("genres"), whole.facets("genres"));
  await source.upTo(endOf("titles"));
  assert.deepEqual(search(nf), search(whole));
  assert.throws(() => nf.item("7"), soon);
  await source.upTo(bytes.length);
  assert.deepEqual(texts(nf), texts(whole));
});

test("without progressive, open waits for everything", async (t) => {
  const source = drip(bytes);
  const opening = open(source.response, { profile: false });
  await source.upTo(bytes.length - 1);
  assert.equal(await state(opening), "pending");
  await source.upTo(bytes.length);
  source.end();
  const nf = await opening;
  t.after(() => nf.dispose());
  assert.equal(await state(nf.loaded), "resolved");
});

test("every kind of source may be progressive", async (t) => {
  const expected = ask(await openWhole(t));
  for (const source of [fixture("small-v1.nf"), bytes, new Blob([bytes]), new Response(bytes)]) {
    const nf = await open(source, progressive);
    t.after(() => nf.dispose());
    await nf.loaded;
    assert.deepEqual(ask(nf), expected);
  }
});

test("pieces of any size give the same archive, and the engine is asked once a section", async (t) => {
  const whole = await openWhole(t);
  const expected = ask(whole);
  const armed = breakable(t, "engine_arrive");
  let asked = 0;
  armed.times = Infinity;
  armed.when = () => {
    asked += 1;
    return false;
  };
  for (const size of [1, 63, 64, 1000]) {
    const end = size === 1 ? 1000 : bytes.length;
    const pieces = [];
    for (let at = 0; at < end; at += size) pieces.push(bytes.subarray(at, Math.min(at + size, end)));
    if (end < bytes.length) pieces.push(bytes.subarray(end));
    const stream = new ReadableStream({
      pull: (controller) => (pieces.length > 0 ? controller.enqueue(pieces.shift()) : controller.close()),
    });
    const headers = { "content-length": String(bytes.length) };
    const nf = await open(new Response(stream, { headers }), progressive);
    t.after(() => nf.dispose());
    await nf.loaded;
    assert.deepEqual(ask(nf), expected, `${size} bytes`);
    // The table, each section, and the end.
    assert.ok(asked <= whole.info.sections.length + 2, `${asked} questions for pieces of ${size} bytes`);
    asked = 0;
  }
});

/** Where something ends, one byte before and after, and some places between. */
function cuts() {
  const ends = Object.values(sections).flatMap(([start, end]) => [start, end]);
  const near = [0, 1, 8, 63, 64, 65, ...ends].flatMap((at) => [at - 1, at, at + 1]);
  for (let at = 500; at < bytes.length; at += 1499) near.push(at);
  return [...new Set(near)].filter((at) => at >= 0 && at < bytes.length).sort((a, b) => a - b);
}

test("a transfer may break off anywhere", async (t) => {
  const exact = ask(await openWhole(t));
  for (const cut of cuts()) {
    const source = drip(bytes);
    const opening = open(source.response, progressive);
    await source.upTo(cut);
    source.breakOff();
    const broken = failsWith("E_FETCH", (error) => error.retryable);
    if (cut < endOf("codes")) {
      await assert.rejects(opening, broken, `${cut}`);
      continue;
    }
    const nf = await opening;
    await assert.rejects(nf.loaded, broken, `${cut}`);
    const answers = ask(nf);
    if (cut < endOf("refining")) for (const { approximate } of answers.slice(0, 2)) assert.equal(approximate, true, `${cut}`);
    else assert.deepEqual(answers, exact, `${cut}`);
    if (cut < endOf("titles")) assert.throws(() => nf.search("x"), failsWith("E_NOT_READY"), `${cut}`);
    assert.throws(() => nf.item("7"), failsWith("E_NOT_READY"), `${cut}`);
    nf.dispose();
  }
});

test("an archive that is too short is E_CORRUPT wherever it ends", async () => {
  for (const cut of cuts()) {
    await assert.rejects(open(bytes.subarray(0, cut), progressive), failsWith("E_CORRUPT"), `${cut}`);
  }
});

test("what is no archive is refused before it has all come", async () => {
  for (const [head, code] of [
    [new Uint8Array(4096), "E_CORRUPT"],
    [new TextEncoder().encode("<!doctype html>".padEnd(4096)), "E_FETCH"],
    [bytes.with(8, 99).subarray(0, 4096), "E_VERSION"],
    [damaged("table").subarray(0, 4096), "E_CORRUPT"],
  ]) {
    for (const options of [progressive, { profile: false }]) {
      const source = drip(new Uint8Array([...head, ...new Uint8Array(bytes.length - head.length)]));
      const opening = open(source.response, options);
      opening.catch(() => {});
      await source.upTo(head.length);
      await assert.rejects(opening, failsWith(code), code);
      assert.ok(source.cancelled, "the rest is not waited for");
    }
  }
});

test("a signal stops what is still loading; answers go on", async (t) => {
  const controller = new AbortController();
  const { nf, source } = await openUpTo(t, "codes", { signal: controller.signal });
  const before = ask(nf);
  controller.abort(new Error("enough"));
  await assert.rejects(
    nf.loaded,
    failsWith("E_ABORTED", (error) => error.cause?.message === "enough"),
  );
  assert.ok(source.cancelled);
  assert.deepEqual(ask(nf), before);
});

test("a signal that fires after loading changes nothing", async (t) => {
  const controller = new AbortController();
  const { signal } = controller;
  const added = t.mock.method(signal, "addEventListener");
  const removed = t.mock.method(signal, "removeEventListener");
  const nf = await open(bytes, { ...progressive, signal });
  t.after(() => nf.dispose());
  await nf.loaded;
  // A signal may outlive many archives.
  assert.ok(added.mock.callCount() > 0);
  assert.equal(removed.mock.callCount(), added.mock.callCount());
  controller.abort();
  await nf.loaded;
  assert.equal("approximate" in nf.similar("7"), false);
});

test("dispose gives up what is still loading", async (t) => {
  const { nf, source } = await openUpTo(t, "codes");
  nf.dispose();
  await assert.rejects(nf.loaded, failsWith("E_ABORTED"));
  assert.ok(source.cancelled);
  assert.throws(() => nf.similar("7"), failsWith("E_NOT_READY", (error) => !error.retryable));
});

test("a failure of open gives up the transfer", async (t) => {
  let started;
  const asked = new Promise((resolve) => {
    started = resolve;
  });
  const fetching = t.mock.method(globalThis, "fetch");
  const root = await listen(t, (_, response) => {
    started();
    response.setHeader("content-length", bytes.length);
    response.write(bytes.subarray(0, 1000)); // and never the rest
  });
  // The module comes, and proves to be none, when the archive is on its way already.
  const wasm = new ReadableStream({
    async start(body) {
      await asked;
      body.enqueue(new Uint8Array(8));
      body.close();
    },
  });
  await assert.rejects(open(root, { ...progressive, wasm: new Response(wasm) }), failsWith("E_FETCH"));
  const [, { signal }] = fetching.mock.calls[0].arguments;
  assert.ok(signal.aborted);
});

test("damaged refining bits are never used", async (t) => {
  const { nf, source } = await openUpTo(t, "codes", {}, damaged("refining"));
  nf.profile.record({ item: "5", kind: "like", at: NOW });
  const before = ask(nf);
  await source.upTo(bytes.length);
  await assert.rejects(
    nf.loaded,
    failsWith("E_CORRUPT", ({ details }) => details.section === "refining"),
  );
  assert.equal(before[0].approximate, true);
  assert.deepEqual(ask(nf), before);
  assert.equal(nf.profile.entries().length, 1);
  assert.throws(() => nf.search("x"), failsWith("E_NOT_READY"));
});

test("damage behind the codes costs what is damaged, and open without progressive", async (t) => {
  const exact = ask(await openWhole(t));
  for (const section of ["titles", "texts"]) {
    const { nf, source } = await openUpTo(t, "refining", {}, damaged(section));
    await source.upTo(bytes.length);
    await assert.rejects(nf.loaded, failsWith("E_CORRUPT", ({ details }) => details.section === section));
    assert.deepEqual(ask(nf), exact);
    assert.throws(() => nf.item("7"), failsWith("E_NOT_READY"));
  }
  for (const section of ["refining", "titles", "texts"]) {
    await assert.rejects(open(damaged(section), { profile: false }), failsWith("E_CORRUPT"), section);
  }
});

test("damage before the refining bits is no archive at all", async () => {
  for (const section of ["ids", "model", "lists", "blocks", "columns", "codes"]) {
    const source = drip(damaged(section));
    const opening = open(source.response, progressive);
    opening.catch(() => {});
    await source.upTo(endOf("codes"));
    await assert.rejects(opening, failsWith("E_CORRUPT", ({ details }) => details.section === section));
  }
});

test("without verify, damage passes and answers stay well formed", async (t) => {
  const { nf, source } = await openUpTo(t, "codes", { verify: false }, damaged("refining"));
  await source.upTo(bytes.length);
  source.end();
  await nf.loaded;
  const { items, approximate } = nf.similar("7", { k: 300 });
  assert.equal(approximate, undefined);
  assert.equal(items.length, 299);
  assert.ok(items.every(({ score }) => Number.isFinite(score)));
});

test("an error thrown by onProgress ends the rest with that error", async (t) => {
  const mine = new Error("mine");
  let calls = 0;
  const onProgress = ({ receivedBytes, totalBytes }) => {
    calls += 1;
    assert.equal(totalBytes, bytes.length);
    if (receivedBytes > endOf("codes")) throw mine;
  };
  const { nf, source } = await openUpTo(t, "codes", { onProgress });
  assert.equal(calls, 1);
  await source.upTo(bytes.length);
  await assert.rejects(nf.loaded, (error) => error === mine);
});

test("a trap while the archive arrives loses neither log nor bytes", async (t) => {
  const armed = breakable(t, "engine_similar");
  const { nf, source } = await openUpTo(t, "codes");
  nf.profile.record({ item: "5", kind: "like", at: NOW });
  const before = ask(nf);
  // Part of the next section has arrived, too.
  await source.upTo(endOf("codes") + 100);
  armed.times = 1;
  assert.deepEqual(ask(nf), before);
  assert.equal(armed.hits, 1);
  await source.upTo(bytes.length);
  source.end();
  await nf.loaded;
  const whole = await openWhole(t);
  whole.profile.record({ item: "5", kind: "like", at: NOW });
  assert.deepEqual(ask(nf), ask(whole));
});

test("a trap at a section's arrival ends loading, and answers go on", async (t) => {
  const armed = breakable(t, "engine_arrive");
  const { nf, source } = await openUpTo(t, "codes");
  const before = ask(nf);
  armed.times = 1;
  await source.upTo(bytes.length);
  await assert.rejects(
    nf.loaded,
    failsWith("E_ENGINE", (error) => error.cause instanceof WebAssembly.RuntimeError),
  );
  assert.equal(armed.hits, 1);
  assert.deepEqual(ask(nf), before);
});
