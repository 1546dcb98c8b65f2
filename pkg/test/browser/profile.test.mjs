/** The profile in IndexedDB, in tabs of a real browser. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { serve } from "../../../www/serve.mjs";
import { archivePath } from "../support/archive.mjs";
import { launch } from "../support/chromium.mjs";

const pkg = fileURLToPath(new URL("../..", import.meta.url));

/** The page puts `open` and a few shorthands where `evaluate` finds them. */
const APP = `
  import { open } from "./dist/index.js";
  globalThis.start = async (options) => {
    globalThis.nf = await open("/films.nf", options);
    return nf.profile.storage;
  };
  globalThis.like = (title, more) =>
    nf.profile.record({ item: nf.search(title, { k: 1 }).items[0].id, kind: "like", ...more });
  globalThis.fate = (durable) => durable.then(() => "kept", ({ code, details }) => ({ code, ...details }));
  globalThis.slate = () => JSON.stringify(nf.recommend({ k: 20, now: 0 }).items);
  globalThis.ready = true;
`;

let browser;
let server;
let scratch;

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), "nearfield-browser-"));
  writeFileSync(join(scratch, "app.js"), APP);
  writeFileSync(
    join(scratch, "index.html"),
    '<!doctype html><meta charset="utf-8"><title>test</title><script type="module" src="app.js"></script>',
  );
  server = await serve(pkg, {
    files: {
      "/": join(scratch, "index.html"),
      "/app.js": join(scratch, "app.js"),
      "/films.nf": archivePath,
    },
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** A browser profile of its own for one test; `tab()` opens a page in it, after running `spoil`. */
async function person(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  return async (spoil, options) => {
    const page = await context.newPage();
    if (spoil !== undefined) await page.addInitScript(spoil);
    page.on("pageerror", (error) => assert.fail(error));
    await load(page, options);
    return page;
  };
}

async function load(page, options = {}) {
  await page.goto(server.address);
  await page.waitForFunction(() => globalThis.ready);
  return page.evaluate((given) => start(given), options);
}

const count = (page) => page.evaluate(() => nf.profile.entries().length);
const becomes = (page, n) =>
  page.waitForFunction((wanted) => nf.profile.entries().length === wanted, n, { timeout: 5000 });

/** Every record in the profile's database. */
const stored = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("nearfield:default");
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const all = request.result.transaction("entries").objectStore("entries").getAll();
          all.onsuccess = () => {
            request.result.close();
            resolve(all.result);
          };
        };
      }),
  );

test("what was durable is there after a reload, and answers the same", async (t) => {
  const tab = await (await person(t))();
  assert.equal(await tab.evaluate(() => nf.profile.storage), "indexeddb");
  const fates = await tab.evaluate(() =>
    Promise.all(["Alien", "Casablanca"].map((title) => fate(like(title).durable))),
  );
  assert.deepEqual(fates, ["kept", "kept"]);
  const before = await tab.evaluate(() => slate());
  await load(tab);
  assert.equal(await count(tab), 2);
  assert.equal(await tab.evaluate(() => slate()), before);
});

test("profiles with other names, and none, keep apart", async (t) => {
  const tab = await (await person(t))();
  await tab.evaluate(() => like("Alien").durable);
  await load(tab, { profile: "somebody else" });
  assert.equal(await count(tab), 0);
  await load(tab, { profile: false });
  assert.equal(await count(tab), 0);
  assert.equal((await tab.evaluate(() => fate(like("Alien").durable))).code, "E_STORE");
  await load(tab);
  assert.equal(await count(tab), 1);
});

test("tabs follow each other and end with the same answers", async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab(), await tab()];
  await one.evaluate(() => like("Alien", { at: 1 }));
  await becomes(two, 1);
  await two.evaluate(() => like("Casablanca", { at: 1 }));
  await becomes(one, 2);
  assert.equal(await one.evaluate(() => slate()), await two.evaluate(() => slate()));
  assert.equal((await stored(one)).length, 2);
});

test("erase reaches every tab and leaves nothing behind", async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab(), await tab()];
  const fresh = await one.evaluate(() => slate());
  await one.evaluate(() => like("Alien").durable);
  await becomes(two, 1);
  await one.evaluate(() => nf.profile.erase());
  await becomes(two, 0);
  assert.deepEqual(await stored(one), []);
  assert.equal(await two.evaluate(() => slate()), fresh);
  assert.equal(await two.evaluate(() => fate(like("Casablanca").durable)), "kept");
  await becomes(one, 1);
});

test("a tab that heard nothing of the erasure cannot bring anything back", async (t) => {
  const tab = await person(t);
  const one = await tab();
  const deaf = await tab(() => delete globalThis.BroadcastChannel);
  await deaf.evaluate(() => like("Alien").durable);
  await one.evaluate(() => nf.profile.erase());
  assert.equal(await count(deaf), 1);
  const fate = await deaf.evaluate(() => fate(like("Casablanca").durable));
  assert.deepEqual(fate, { code: "E_STORE", reason: "erased" });
  assert.equal(await count(deaf), 0);
  assert.deepEqual(await stored(one), []);
  assert.equal(await deaf.evaluate(() => globalThis.fate(like("Alien").durable)), "kept");
});

test("what is recorded right after erase() is kept, what came right before is not", async (t) => {
  const tab = await (await person(t))();
  const kept = await tab.evaluate(async () => {
    like("Alien");
    const erased = nf.profile.erase();
    const { durable } = like("Casablanca");
    await erased;
    return fate(durable);
  });
  assert.equal(kept, "kept");
  await load(tab);
  assert.equal(await count(tab), 1);
});

test("an import is kept, in other tabs too", async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab(), await tab(undefined, { profile: "second" })];
  const text = await one.evaluate(() => {
    like("Alien");
    like("Casablanca");
    return nf.profile.export();
  });
  const added = await two.evaluate(async (json) => {
    const { added, durable } = nf.profile.import(json);
    await durable;
    return added;
  }, text);
  assert.equal(added, 2);
  await load(two, { profile: "second" });
  assert.equal(await two.evaluate(() => nf.profile.export()), text);
});

test("without storage there is memory, and record() never throws", async (t) => {
  const tab = await person(t);
  const spoilers = [
    () => Object.defineProperty(globalThis, "indexedDB", { value: undefined }),
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("no", "SecurityError");
      };
    },
    () => {
      IDBDatabase.prototype.transaction = () => {
        throw new DOMException("no", "UnknownError");
      };
    },
  ];
  for (const spoil of spoilers) {
    const page = await tab(spoil);
    assert.equal(await page.evaluate(() => nf.profile.storage), "memory");
    assert.equal((await page.evaluate(() => fate(like("Alien").durable))).code, "E_STORE");
    assert.equal(await page.evaluate(() => nf.recommend({ k: 3 }).basis), "taste");
    await page.close();
  }
});

test("full storage is E_QUOTA, and the interaction still counts", async (t) => {
  const tab = await (await person(t))();
  const fate = await tab.evaluate(() => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    return fate(like("Alien").durable);
  });
  assert.equal(fate.code, "E_QUOTA");
  assert.equal(await tab.evaluate(() => nf.recommend({ k: 3 }).basis), "taste");
});

test("deleting the site's data blocks nobody, and recording goes on", async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab(), await tab()];
  await one.evaluate(() => nf.profile.erase());
  await one.evaluate(() => like("Alien").durable);
  await two.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase("nearfield:default");
        request.onsuccess = resolve;
        request.onblocked = request.onerror = () => reject(new Error("blocked"));
      }),
  );
  // The new database has never been erased: this tab finds that out, forgets, and goes on.
  const fates = await one.evaluate(async () => [
    await fate(like("Casablanca").durable),
    nf.profile.entries().length,
    await fate(like("Casablanca").durable),
  ]);
  assert.deepEqual(fates, [{ code: "E_STORE", reason: "erased" }, 0, "kept"]);
});

test("profiles have names, and a page switches between them without a reload", async (t) => {
  const tab = await person(t);
  const [one, two] = [await tab(), await tab(undefined, { profile: "kids" })];
  assert.deepEqual(await one.evaluate(() => nf.profile.names()), [], "opening alone keeps nothing");
  await one.evaluate(() => like("Alien").durable);
  const own = await one.evaluate(() => slate());
  await one.evaluate(async () => {
    await nf.profile.switchTo("kids");
    await like("Toy Story").durable;
  });
  await becomes(two, 1);
  assert.equal(await one.evaluate(() => slate()), await two.evaluate(() => slate()));
  assert.deepEqual(await one.evaluate(() => nf.profile.names()), ["default", "kids"]);
  // What happens in a profile that this tab has left is no longer its business.
  await one.evaluate(() => nf.profile.switchTo("default"));
  await two.evaluate(() => like("Casablanca").durable);
  assert.equal(await one.evaluate(() => slate()), own);
  assert.equal(await count(one), 1);
  await two.evaluate(() => nf.profile.erase());
  assert.deepEqual(await one.evaluate(() => nf.profile.names()), ["default"], "an erased one has nothing");
  // A forgotten one leaves nothing behind.
  await one.evaluate(async () => {
    await nf.profile.switchTo(false);
    like("Alien");
  });
  await load(one);
  assert.equal(await count(one), 1);
  assert.deepEqual(await one.evaluate(() => nf.profile.names()), ["default"]);
});

test("what is older than maxAge is deleted from storage at the next opening", async (t) => {
  const tab = await (await person(t))();
  const young = await tab.evaluate(async () => {
    await like("Toy Story", { at: Date.now() - 40 * 86_400_000 }).durable;
    const shown = { slate: "s", items: [{ item: "a", position: 0 }], at: 0, context: { secret: "x" } };
    await nf.profile.shown(shown).durable;
    await nf.profile.exclude({ source: "radio" }).durable;
    const { durable } = like("Alien");
    await durable;
    return nf.profile.entries().at(-1).event.item;
  });
  assert.equal((await stored(tab)).length, 4);
  await load(tab, { maxAge: 30 });
  assert.equal(await count(tab), 2);
  await tab.evaluate(() => nf.profile.compact().durable);
  await tab.evaluate(() => like("Casablanca").durable);
  const left = await stored(tab);
  assert.deepEqual(left.map(({ event }) => event.type).sort(), ["exclude", "interaction", "interaction"]);
  assert.ok(left.some(({ event }) => event.item === young));
  assert.ok(!JSON.stringify(left).includes("secret"));
  await load(tab);
  assert.equal(await count(tab), 3, "gone for who sets no age, too");
});

test("recording that is off leaves nothing in storage", async (t) => {
  const tab = await (await person(t))();
  await load(tab, { recording: false });
  const { recorded, durable } = await tab.evaluate(async () => {
    const { recorded, durable } = like("Alien");
    return { recorded, durable: await fate(durable) };
  });
  assert.deepEqual([recorded, durable], [false, "kept"]);
  assert.deepEqual(await stored(tab), []);
  await tab.evaluate(() => {
    nf.profile.recording = true;
    return like("Alien").durable;
  });
  assert.equal((await stored(tab)).length, 1);
});
