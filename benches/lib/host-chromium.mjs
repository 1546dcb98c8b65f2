/** Runs tasks in headless Chromium, each in a page of its own that has no history. */
import { chromium } from "playwright-core";
import { serve } from "../../www/serve.mjs";
import { BenchError, ROOT } from "./tools.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** A page isolated from other origins gets a clock of 5 microseconds instead of 100. */
const HEADERS = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "content-security-policy": undefined,
};

/** @returns A host: `name`, `version`, `run(task, job)` and `close()`. */
export async function openChromium() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS }).catch((error) => {
    throw new BenchError(`${executablePath} does not start; run .ci/setup browser, or set CHROMIUM\n${error}`);
  });
  const server = await serve(ROOT, { headers: HEADERS });
  return {
    name: "Chromium",
    version: browser.version(),
    async run(task, job) {
      const context = await browser.newContext();
      try {
        const page = await context.newPage();
        page.setDefaultTimeout(0);
        page.on("pageerror", (error) => console.error(`bench: in the page: ${error}`));
        await page.goto(`${server.address}benches/page.html`);
        return await page.evaluate(inPage, { task, job });
      } finally {
        await context.close();
      }
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Runs in the page: nothing from this module is in scope. */
async function inPage({ task, job }) {
  const host = {
    name: "chromium",
    url: (path) => new URL(`/${path}`, location.href).href,
    async read(path) {
      const response = await fetch(`/${path}`);
      if (!response.ok) throw new Error(`${path}: status ${response.status}`);
      return response.arrayBuffer();
    },
  };
  const { tasks } = await import(host.url(job.tasks ?? "benches/lib/measure.mjs"));
  return tasks[task](job, host);
}
