/**
 * The three engines of browsers, each as the tests want it: a page of ours, and functions called in it.
 *
 * A running browser has `version`, `open(url)`, `reload()`, `call(name, ...args)`, which calls a function
 * that page.mjs offers, and `close()`, after which nothing of it runs any more.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { Builder } from "selenium-webdriver";
import { CHROMIUM_ARGUMENTS } from "../../pkg/test/support/chromium-arguments.mjs";

// Ended from outside, this program still ends what it started: each has a listener of "exit".
for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** How long one call in a page may take before it is given up as hanging; all of the work takes seconds. */
const HANGING = 300_000;

/**
 * Which engines there are. `relaxed` is whether the engine has relaxed SIMD, as a fact that is asserted
 * both ways: WebKit has none as of 2.50, and a release that brings it must be tested with it.
 */
export const BROWSERS = [
  { name: "Chromium", relaxed: true, launch: chromium },
  { name: "Firefox", relaxed: true, launch: firefox },
  { name: "WebKit", relaxed: false, launch: webkit },
];

/** A program by what names another one, or its place in Debian. */
function program(variable, place) {
  const path = process.env[variable] ?? place;
  if (path === undefined || !existsSync(path)) {
    throw new Error(`no ${path ?? variable}: run .ci/setup browser engines, or set ${variable}`);
  }
  return path;
}

function chromium() {
  return driven({
    browser: "chrome",
    executablePath: program("CHROMIUM", "/usr/bin/chromium"),
    args: CHROMIUM_ARGUMENTS,
  });
}

function firefox() {
  return driven({ browser: "firefox", executablePath: program("FIREFOX", "/usr/bin/firefox-esr") });
}

/** A browser that Puppeteer can drive, with an empty profile of its own. */
async function driven(options) {
  const browser = await puppeteer.launch({ headless: true, protocolTimeout: HANGING, ...options });
  const page = await browser.newPage();
  return {
    version: await browser.version(),
    // Both wait for the page's load event, before which its module has run.
    open: (url) => page.goto(url),
    reload: () => page.reload(),
    async call(...call) {
      return JSON.parse(await page.evaluate((text) => globalThis.answerTo(text), JSON.stringify(call)));
    },
    close: () => browser.close(),
  };
}

/** WebKitGTK's small browser has no mode without a display: it gets one that nobody sees. */
async function webkit() {
  const binary = program("MINIBROWSER", miniBrowser());
  const home = mkdtempSync(join(tmpdir(), "nearfield-webkit-"));
  const started = [];
  const stop = async () => {
    for (const one of started.splice(0).reverse()) await one.end();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const stdio = ["ignore", "ignore", "ignore", "pipe"];
    const display = start("Xvfb", ["-displayfd", "3", "-nolisten", "tcp"], { stdio });
    started.push(display);
    const number = await Promise.race([firstLine(display.child.stdio[3]), display.failed]);
    const port = await freePort();
    const env = {
      ...process.env,
      DISPLAY: `:${number}`,
      GDK_BACKEND: "x11",
      HOME: home,
      XDG_RUNTIME_DIR: home,
      // Its sandbox needs namespaces that a container may not have, and root may not use.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    };
    const server = start("WebKitWebDriver", [`--port=${port}`], { stdio: "ignore", env });
    started.push(server);
    const address = `http://127.0.0.1:${port}`;
    await Promise.race([answers(`${address}/status`), server.failed]);
    const driver = await new Builder()
      .usingServer(address)
      .withCapabilities({
        browserName: "MiniBrowser",
        "webkitgtk:browserOptions": { binary, args: ["--automation"] },
      })
      .build();
    await driver.manage().setTimeouts({ script: HANGING, pageLoad: HANGING });
    return {
      version: (await driver.getCapabilities()).getBrowserVersion(),
      open: (url) => driver.get(url),
      reload: () => driver.navigate().refresh(),
      async call(...call) {
        const { value, error } = await driver.executeAsyncScript(callInPage, JSON.stringify(call));
        // Absent is `null` in this protocol.
        if (typeof value !== "string") throw new Error(error);
        return JSON.parse(value);
      },
      close: () => driver.quit().finally(stop),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs in the page: the protocol has a callback for what a promise comes to, and none for its rejection. */
function callInPage(text, done) {
  globalThis.answerTo(text).then((value) => done({ value }), (error) => done({ error: String(error) }));
}

/** Where Debian keeps what its package of the driver does not put on the path, on any architecture. */
function miniBrowser() {
  const libraries = "/usr/lib";
  const places = existsSync(libraries) ? readdirSync(libraries) : [];
  return places.map((place) => join(libraries, place, "webkit2gtk-4.1", "MiniBrowser")).find(existsSync);
}

/**
 * Starts a program in a process group of its own.
 *
 * @returns `child`; `failed`, which rejects when it could not be started or has ended; `end()`, which ends
 *   it with everything that it started. Whatever way this program ends, the group ends with it.
 */
function start(command, args, options) {
  const child = spawn(command, args, { ...options, detached: true });
  const failed = new Promise((_, reject) => {
    child.once("error", (cause) =>
      reject(new Error(`${command} does not start: run .ci/setup engines`, { cause })),
    );
    child.once("exit", (code, signal) => reject(new Error(`${command} has ended: ${code ?? signal}`)));
  });
  const signal = (name) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch (error) {
      if (error.code !== "ESRCH") throw error;
    }
  };
  const atExit = () => signal("SIGTERM");
  process.once("exit", atExit);
  const end = async () => {
    process.off("exit", atExit);
    signal("SIGTERM");
    await Promise.race([failed.catch(() => {}), pause(5000, undefined, { ref: false })]);
    signal("SIGKILL");
  };
  failed.catch(() => {});
  return { child, failed, end };
}

async function firstLine(stream) {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    text += chunk;
    if (text.includes("\n")) return text.trim();
  }
  throw new Error("the display has no number");
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when something answers at an address. */
async function answers(url) {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await fetch(url).then(({ ok }) => ok, () => false)) return;
    await pause(50);
  }
  throw new Error(`nothing answers at ${url}`);
}
