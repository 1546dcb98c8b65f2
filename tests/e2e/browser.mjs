/** A headless Chromium and the demo page in it, as each test wants them. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM_ARGUMENTS } from "../../pkg/test/support/chromium-arguments.mjs";
import { serve } from "../../www/serve.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The built page. */
export const dist = join(root, "www", "dist");

/** Where screenshots go, for people to look at. */
export const screenshots = join(root, "target", "screenshots");

if (!existsSync(join(dist, "app.js"))) {
  throw new Error("no built page: run node www/build.mjs first");
}
mkdirSync(screenshots, { recursive: true });

/** Starts the browser; nothing of its own may reach the network. `CHROMIUM` names another executable. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: CHROMIUM_ARGUMENTS,
  });
}

/**
 * Opens the demo for one test, in a browser profile of its own, from a server of its own.
 *
 * @returns The page, its server, and what went wrong in it: requests to other origins, errors, and
 *   complaints in the console, which are where violations of the page's policy appear.
 */
export async function visit(t, browser, { files = {}, ...context } = {}) {
  const server = await serve(dist, { files });
  const session = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context });
  t.after(async () => {
    await session.close();
    await server.close();
  });
  const problems = [];
  session.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.address) && !/^(blob|data):/.test(url)) problems.push(`request to ${url}`);
  });
  const page = await session.newPage();
  watch(page, problems);
  await page.goto(server.address);
  await ready(page);
  return { page, server, session, problems };
}

/** Notes every error of a page. */
export function watch(page, problems) {
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
}

/** Waits until the archive is open and the first shelf is filled. */
export async function ready(page) {
  await page.locator("#for-you .card, #for-you .shelf-note").first().waitFor({ timeout: 30_000 });
}

/** The titles on a shelf, in order. */
export const titles = (page, shelf) => page.locator(`#${shelf} .poster-title`).allTextContents();

/** Types a title and returns the card of the first match, once the matches are those of this title. */
export async function find(page, title) {
  await page.fill("#search", title);
  await page.waitForFunction(
    (wanted) =>
      document.querySelector("#matches .poster-title")?.textContent.toLowerCase().includes(wanted),
    title.toLowerCase(),
    { timeout: 5000 },
  );
  return page.locator("#matches .card").first();
}

/** Presses a button of a card by what it is for. */
export const press = (card, action) => card.locator(`[data-action="${action}"]`).click();
