/** The demo page as a person uses it, in a real browser. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { find, launch, press, ready, screenshots, titles, visit, watch } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const opinions = (page) => page.locator(".opinion-title").allTextContents();

/** Waits until so many interactions lie in storage: the page shows them before that. */
async function stored(page, n) {
  const isStored = (n) =>
    new Promise((resolve, reject) => {
      const opening = indexedDB.open("nearfield:films");
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const reading = opening.result.transaction("entries").objectStore("entries").getAll();
        reading.onerror = () => reject(reading.error);
        reading.onsuccess = () => {
          opening.result.close();
          resolve(reading.result.filter(({ event }) => event.type === "interaction").length >= n);
        };
      };
    });
  await page.waitForFunction(isStored, n);
}

/** Waits until a shelf no longer shows these titles in this order. */
async function changed(page, shelf, before) {
  await page.waitForFunction(
    ([id, old]) =>
      [...document.querySelectorAll(`#${id} .poster-title`)].map((e) => e.textContent).join("|") !== old,
    [shelf, before.join("|")],
    { timeout: 5000 },
  );
  return titles(page, shelf);
}

test("finds by title, likes, and the shelf changes and says why", async (t) => {
  const { page, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  assert.equal(prior.length, 10, "two whole rows of five");
  assert.equal(await page.locator("#for-you .because").count(), 0);
  const card = await find(page, "alien");
  assert.match(await card.locator(".poster-title").textContent(), /alien/i);
  const liked = await card.locator(".poster-title").textContent();
  await press(card, "like");
  const own = await changed(page, "for-you", prior);
  const reasons = await page.locator("#for-you .because").allTextContents();
  assert.equal(reasons.length, 10);
  for (const reason of reasons) assert.ok(reason.startsWith(`because you liked ${liked}`), reason);
  assert.deepEqual(await opinions(page), [liked]);
  assert.equal(await card.locator('[data-action="like"]').getAttribute("aria-pressed"), "true");
  assert.match(await page.textContent("#fact-time"), /\d ms$/);
  assert.match(await page.textContent("#fact-bytes"), /(MB|kB)$/);
  await press(card, "like");
  assert.deepEqual(await changed(page, "for-you", own), prior, "taken back as if it had never been");
  assert.deepEqual(problems, []);
});

test("dislike, undo from the remark, and focus stay usable from the keyboard", async (t) => {
  const { page, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  const second = page.locator("#for-you .card").nth(1).locator('[data-action="like"]');
  await second.focus();
  await page.keyboard.press("Enter");
  const after = await changed(page, "for-you", prior);
  assert.ok(!after.includes(prior[1]), "what was judged leaves the shelf");
  const focused = await page.evaluate(() => {
    const { activeElement: e } = document;
    return [e.dataset.action, [...e.closest(".grid").children].indexOf(e.closest(".card"))];
  });
  assert.deepEqual(focused, ["like", 1], "the focus goes to the card that took its place");
  await page.locator("#toast button").click();
  await changed(page, "for-you", after);
  assert.deepEqual(await titles(page, "for-you"), prior);
  await press(page.locator("#for-you .card").first(), "dislike");
  await changed(page, "for-you", prior);
  assert.deepEqual(await opinions(page), [prior[0]]);
  // Taking back a change of mind brings back what was said before.
  const alien = await find(page, "alien");
  await press(alien, "like");
  await page.locator('#matches .card [data-action="like"][aria-pressed="true"]').waitFor();
  await press(alien, "dislike");
  await page.locator('#matches .card [data-action="dislike"][aria-pressed="true"]').waitFor();
  await page.locator("#toast button").click();
  await page.locator('#matches .card [data-action="like"][aria-pressed="true"]').waitFor();
  assert.deepEqual(problems, []);
});

test("filters by genre and year", async (t) => {
  const { page, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  await page.locator(".chip", { hasText: "Western" }).click();
  const westerns = await changed(page, "for-you", prior);
  await page.selectOption("#year-from", "1960");
  await page.selectOption("#year-to", "1969");
  await changed(page, "for-you", westerns);
  for (const year of await page.locator("#for-you .poster-year").allTextContents()) {
    assert.match(year, /^196\d$/);
  }
  await page.locator("#for-you .more").click();
  await page.locator("#for-you .card").nth(19).waitFor();
  // The end of a span follows its beginning: what is asked for can always exist.
  await page.selectOption("#year-from", "1990");
  assert.equal(await page.inputValue("#year-to"), "1999");
  assert.deepEqual(problems, []);
});

test("filters by country, score and what is known, with counts that agree", async (t) => {
  const { page, problems } = await visit(t, browser);
  const number = async () => Number((await page.textContent("#filter-count")).replace(/\D/g, ""));
  const everything = await number();
  const option = page.locator("#country option", { hasText: "France" });
  const promised = Number((await option.textContent()).replace(/\D/g, ""));
  await page.selectOption("#country", "France");
  assert.equal(await number(), promised, "the menu promised as many as come");
  await page.selectOption("#score", "7");
  const good = await number();
  assert.ok(good < promised && promised < everything);
  const chip = page.locator(".chip", { hasText: "Comedy" });
  const comedies = Number((await chip.locator(".chip-count").textContent()).replace(/\D/g, ""));
  await chip.click();
  assert.equal(await number(), comedies);
  const shelf = await titles(page, "for-you");
  await page.locator("#unknown-only").check();
  await press(page.locator("#for-you .card").first(), "like");
  await changed(page, "for-you", shelf);
  assert.equal(await number(), comedies - 1, "what is liked is known");
  assert.deepEqual(problems, []);
});

test("what is set aside, by film or by occasion, stops counting and can come back", async (t) => {
  const { page, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  await press(await find(page, "alien"), "like");
  const own = await changed(page, "for-you", prior);
  await page.locator(".occasion .chip", { hasText: "Family evening" }).click();
  await press(await find(page, "toy story"), "like");
  const both = await changed(page, "for-you", own);
  await page.locator(".source", { hasText: "Family evening" }).locator("input").uncheck();
  const quiet = await changed(page, "for-you", both);
  const reasons = await page.locator("#for-you .because b").allTextContents();
  assert.ok(reasons.every((title) => /alien/i.test(title)), "only what counts is cited");
  await page.locator(".source", { hasText: "Family evening" }).locator("input").check();
  assert.deepEqual(await changed(page, "for-you", quiet), both);
  await page.locator(".opinion", { hasText: /alien/i }).locator(".switch input").uncheck();
  await changed(page, "for-you", both);
  assert.equal(await page.textContent("#history .count"), "1 of 2 count");
  const casablanca = await find(page, "casablanca");
  await press(casablanca, "aside");
  await page.locator(".opinion").nth(2).waitFor();
  assert.equal(await page.textContent("#history .count"), "1 of 3 count");
  assert.deepEqual(problems, []);
});

test("more like this, and the sheet with details", async (t) => {
  const { page, problems } = await visit(t, browser);
  const card = await find(page, "alien");
  await press(card, "more");
  await page.locator("#like-this .card").first().waitFor();
  assert.match(await page.textContent("#like-this-title"), /^More like .*alien/i);
  assert.equal((await titles(page, "like-this")).length, 10);
  await press(card, "details");
  assert.equal(await page.locator("#details[open]").count(), 1);
  assert.match(await page.textContent("#details"), /Cast/);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#details[open]").count(), 0);
  assert.deepEqual(problems, []);
});

test("history survives a reload, can be exported, erased and imported", async (t) => {
  const { page, problems } = await visit(t, browser);
  await press(await find(page, "alien"), "like");
  await press(await find(page, "casablanca"), "dislike");
  await page.locator(".opinion").nth(1).waitFor();
  const [before, shelf] = [await opinions(page), await titles(page, "for-you")];
  await stored(page, 2);
  await page.reload();
  await ready(page);
  assert.deepEqual(await opinions(page), before);
  assert.deepEqual(await titles(page, "for-you"), shelf);
  const downloading = page.waitForEvent("download");
  await page.locator("#history .tools button", { hasText: "Export" }).click();
  const file = await (await downloading).path();
  const { entries } = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(entries.filter(({ event }) => event.type === "interaction").length, 2);
  await page.locator("#history .tools button", { hasText: "Erase" }).click();
  await page.locator("#confirm button", { hasText: "Keep it" }).click();
  assert.equal((await opinions(page)).length, 2);
  await page.locator("#history .tools button", { hasText: "Erase" }).click();
  await page.locator("#confirm .danger").click();
  // The list empties at once; that nothing is left in storage either, the page says when it is so.
  await page.locator("#toast", { hasText: "Erased." }).waitFor();
  assert.deepEqual(await opinions(page), []);
  await page.reload();
  await ready(page);
  assert.deepEqual(await opinions(page), []);
  await page.setInputFiles("input[type=file]", file);
  await page.locator(".opinion").nth(1).waitFor();
  assert.deepEqual(await titles(page, "for-you"), shelf);
  assert.deepEqual(problems, []);
});

test("somebody new is asked about a few films, and likes make a taste, rows and an end of questions", async (t) => {
  const { page, problems } = await visit(t, browser);
  assert.equal((await titles(page, "start")).length, 5, "one row");
  assert.equal(await page.locator("#taste").isVisible(), false);
  for (let i = 1; i <= 3; i += 1) {
    await press(page.locator("#start .card").first(), "like");
    await page.locator(".opinion").nth(i - 1).waitFor();
  }
  await page.locator("#start").waitFor({ state: "hidden" });
  assert.match(await page.textContent("#taste"), /Interests.*Genres/s);
  assert.ok((await page.locator("#taste .mix li").count()) >= 3);
  assert.equal(await page.locator("#row-1").isVisible(), false);
  for (const title of ["alien", "casablanca"]) await press(await find(page, title), "like");
  await page.fill("#search", "");
  await page.locator("#row-1 .card").first().waitFor();
  assert.match(await page.textContent("#row-1-title"), /^Because you like \S/);
  const shelves = [await titles(page, "for-you"), await titles(page, "row-1"), await titles(page, "row-2")].flat();
  const years = await page.locator(":is(#for-you, #row-1, #row-2) .poster-year").allTextContents();
  const films = shelves.map((title, i) => `${title} ${years[i]}`);
  assert.equal(new Set(films).size, films.length, "no film stands twice");
  assert.deepEqual(problems, []);
});

test("more films follow without repeats, and what was shown is recorded once", async (t) => {
  const { page, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  await press(await find(page, "alien"), "like");
  const first = await changed(page, "for-you", prior);
  for (let pages = 2; pages <= 4; pages += 1) {
    await page.locator("#for-you .more").click();
    await page.locator("#for-you .card").nth(10 * pages - 1).waitFor();
  }
  const ids = await page.locator("#for-you .card").evaluateAll((cards) => cards.map((card) => card.dataset.id));
  assert.equal(new Set(ids).size, 40);
  assert.deepEqual((await titles(page, "for-you")).slice(0, 10), first, "what stood there stays");
  const by = await page.locator("#for-you .poster-by").allTextContents();
  const most = Math.max(...by.map((name) => by.filter((other) => other === name && name !== "").length));
  assert.ok(most <= 2, "at most two films of one director");
  const downloading = page.waitForEvent("download");
  await page.locator("#history .tools button", { hasText: "Export" }).click();
  const { entries } = JSON.parse(readFileSync(await (await downloading).path(), "utf8"));
  const shown = entries.filter(({ event }) => event.type === "shown").flatMap(({ event }) => event.items);
  assert.deepEqual(shown.map(({ item }) => item).sort(), [...ids].sort(), "each once");
  assert.deepEqual(problems, []);
});

test("two tabs show the same", async (t) => {
  const { page, server, session, problems } = await visit(t, browser);
  const other = await session.newPage();
  watch(other, problems);
  await other.goto(server.address);
  await ready(other);
  const prior = await titles(other, "for-you");
  await press(await find(page, "alien"), "like");
  await changed(other, "for-you", prior);
  assert.deepEqual(await titles(other, "for-you"), await titles(page, "for-you"));
  assert.deepEqual(problems, []);
});

test("works offline after the first visit", async (t) => {
  const { page, server, session, problems } = await visit(t, browser);
  const prior = await titles(page, "for-you");
  await press(await find(page, "alien"), "like");
  await changed(page, "for-you", prior);
  await page.locator("#fact-offline", { hasText: "ready" }).waitFor({ timeout: 30_000 });
  const shelf = await titles(page, "for-you");
  await stored(page, 1);
  await server.close();
  await session.setOffline(true);
  await page.reload();
  await ready(page);
  assert.deepEqual(await titles(page, "for-you"), shelf);
  const fresh = await session.newPage();
  await fresh.goto(`${server.address}?from=a-link`);
  await ready(fresh);
  assert.deepEqual(problems, []);
});

test("a failing download is explained and can be tried again", async (t) => {
  const files = { "/films.nf": "/nonexistent" };
  const { page } = await (async () => {
    const { serve } = await import("../../www/serve.mjs");
    const { dist } = await import("./browser.mjs");
    const server = await serve(dist, { files });
    const session = await browser.newContext();
    t.after(async () => {
      await session.close();
      await server.close();
    });
    const opened = await session.newPage();
    await opened.goto(server.address);
    return { page: opened };
  })();
  await page.locator("#loading-retry").waitFor();
  assert.match(await page.textContent("#loading-text"), /HTTP status 404/);
  delete files["/films.nf"];
  await page.locator("#loading-retry").click();
  await ready(page);
});

test("hostile catalog text stays text", async (t) => {
  const command = process.env.NEARFIELD_BIN ??
    fileURLToPath(new URL("../../target/release/nearfield", import.meta.url));
  assert.ok(existsSync(command), "no nearfield command to build an archive with: run make build");
  const scratch = mkdtempSync(join(tmpdir(), "nearfield-e2e-"));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const attack = (n) => `Attack${n} <img src=x onerror="window.hit=1"><script>window.hit=1</script>`;
  const films = Array.from({ length: 20 }, (_, i) => ({
    id: `"><img src=x onerror="window.hit=1">${i}`,
    title: attack(i),
    year: 1990 + i,
    genres: ["<b>Drama</b>", `</style><script>window.hit=1</script>`],
    director: ["<svg onload=window.hit=1>"],
    writers: ["javascript:window.hit=1"],
    cast: [`<iframe srcdoc="<script>parent.hit=1</script>">`],
    country: ["{{constructor.constructor('window.hit=1')()}}"],
    language: ["English"],
    runtime: 90 + i,
    critics_score: 50 + i,
    rating: 6,
    reviews: 10 + i,
  }));
  const input = join(scratch, "hostile.jsonl");
  const archive = join(scratch, "hostile.nf");
  writeFileSync(input, films.map((film) => JSON.stringify(film)).join("\n"));
  execFileSync(command, ["build", input, "--embed-text", "title,genres,director", "-o", archive]);
  const { page, problems } = await visit(t, browser, { files: { "/films.nf": archive } });
  const card = await find(page, "attack3");
  assert.equal(await card.locator(".poster-title").textContent(), attack(3));
  await press(card, "like");
  await press(card, "more");
  await press(card, "details");
  await page.locator("#details[open]").waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator("main img, main script, #history img, #details iframe").count(), 0);
  assert.deepEqual(problems, []);
});

test("looks as it should, wide and narrow, light and dark", async (t) => {
  const views = [
    ["wide", { viewport: { width: 1280, height: 900 } }],
    ["narrow", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }],
    ["wide-dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
    ["narrow-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark", deviceScaleFactor: 2 }],
  ];
  for (const [name, context] of views) {
    const { page, problems } = await visit(t, browser, { reducedMotion: "reduce", ...context });
    const shoot = (what, options = {}) =>
      page.screenshot({ path: join(screenshots, `${what}-${name}.png`), ...options });
    await shoot("first-visit");
    for (const title of ["alien", "blade runner", "the thing"]) await press(await find(page, title), "like");
    await press(await find(page, "casablanca"), "aside");
    await page.locator(".opinion").nth(3).waitFor();
    await shoot("search");
    await page.fill("#search", "");
    await page.locator("#matches").waitFor({ state: "hidden" });
    await press(page.locator("#for-you .card").first(), "more");
    await page.locator("#toast").evaluate((toast) => (toast.hidden = true));
    await page.evaluate(() => scrollTo(0, 0));
    await shoot("whole", { fullPage: true });
    for (const title of ["toy story", "finding nemo"]) await press(await find(page, title), "like");
    await page.fill("#search", "");
    await page.locator("#row-1 .card").first().waitFor();
    await page.locator("#like-this .shelf-head button").click();
    await page.locator("#toast").evaluate((toast) => (toast.hidden = true));
    await page.evaluate(() => scrollTo(0, 0));
    await shoot("taste", { fullPage: true });
    await press(page.locator("#for-you .card").first(), "details");
    await shoot("details");
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, `${name}: the page does not scroll sideways`);
    assert.deepEqual(problems, []);
  }
});
