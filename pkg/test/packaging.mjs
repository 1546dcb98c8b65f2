/**
 * The package as a stranger meets it: packed, installed from the tarball into an empty project, and
 * used there in Node, in a page without any bundler, and in a page bundled by esbuild.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { serve } from "../../www/serve.mjs";
import { archivePath } from "./support/archive.mjs";
import { launch } from "./support/chromium.mjs";

const pkg = fileURLToPath(new URL("..", import.meta.url));
const npm = (args, cwd) =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** The same program for every host: like one film, print what is recommended and why. */
const program = (archive, options) => `
  const nf = await open(${archive}, ${options});
  const [liked] = nf.search("Alien", { k: 1, fields: ["title"] }).items;
  nf.profile.record({ item: liked.id, kind: "like", at: 0 });
  const answer = nf.recommend({ k: 5, explain: 1, fields: ["title"], now: 0 });
  const report = {
    liked: liked.id,
    basis: answer.basis,
    items: answer.items.map(({ id, score, because }) => ({ id, score, cites: because[0].item })),
  };
`;

let project;
let contents;
let browser;

before(async () => {
  project = mkdtempSync(join(tmpdir(), "nearfield-packaging-"));
  const [packed] = JSON.parse(npm(["pack", "--json", "--pack-destination", project], pkg));
  contents = packed.files.map((file) => file.path);
  writeFileSync(join(project, "package.json"), '{"private": true, "type": "module"}');
  npm(["install", "--no-audit", "--no-fund", "--offline", `./${packed.filename}`], project);
  copyFileSync(archivePath, join(project, "films.nf"));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  rmSync(project, { recursive: true, force: true });
});

/** What the program reports in Node; the pages must report the same, bit for bit. */
function inNode() {
  const script = join(project, "app.mjs");
  writeFileSync(
    script,
    `import { open } from "nearfield";\n${program('"films.nf"', "{}")}\nconsole.log(JSON.stringify(report));\n`,
  );
  return JSON.parse(execFileSync(process.execPath, [script], { cwd: project, encoding: "utf8" }));
}

/** Serves a folder with the demo's strict policy and returns what its page reports. */
async function inPage(t, folder, headers = {}) {
  const server = await serve(folder, { headers });
  t.after(() => server.close());
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const strayed = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.address)) strayed.push(request.url());
  });
  const failures = [];
  page.on("pageerror", (error) => failures.push(String(error)));
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  await page.goto(server.address);
  const text = await page
    .waitForFunction(() => document.querySelector("output")?.textContent, null, { timeout: 30_000 })
    .catch(() => assert.fail(`the page reported nothing: ${failures.join("; ")}`));
  assert.deepEqual(strayed, [], "requests to other origins");
  return JSON.parse(await text.jsonValue());
}

test("the tarball holds what it should and nothing else", () => {
  for (const path of [
    "package.json", "README.md", "LICENSE-MIT", "LICENSE-APACHE",
    "dist/index.js", "dist/index.node.js", "dist/index.d.ts", "wasm/nearfield_bg.wasm",
    "wasm/nearfield_relaxed_bg.wasm",
  ]) {
    assert.ok(contents.includes(path), path);
  }
  const stray = contents.filter((path) => /^(src|test|node_modules)\/|\.mjs$|tsconfig|lock/.test(path));
  assert.deepEqual(stray, []);
});

test("in Node: recommendations that cite what was liked", () => {
  const report = inNode();
  assert.equal(report.basis, "taste");
  assert.equal(report.items.length, 5);
  for (const { cites } of report.items) assert.equal(cites, report.liked);
});

test("in Node through require", () => {
  const script = "require('nearfield').open('films.nf').then((nf) => console.log(nf.info.nItems))";
  const output = execFileSync(process.execPath, ["--no-warnings", "-e", script], {
    cwd: project,
    encoding: "utf8",
  });
  assert.ok(Number(output) > 0);
});

test("the wasm and the manifest are subpaths", () => {
  const script = `
    import { createRequire } from "node:module";
    for (const path of ["nearfield.wasm", "nearfield_relaxed.wasm", "package.json"]) {
      console.log(import.meta.resolve("nearfield/" + path));
    }
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: project,
    encoding: "utf8",
  });
  assert.match(output, /nearfield_bg\.wasm\n.*nearfield_relaxed_bg\.wasm\n.*package\.json/);
});

test("in a page without a bundler, under a strict policy", async (t) => {
  const folder = join(project, "plain");
  mkdirSync(folder);
  cpSync(join(project, "node_modules", "nearfield"), join(folder, "nearfield"), { recursive: true });
  copyFileSync(archivePath, join(folder, "films.nf"));
  // An import map is inline by nature, so this page's policy names it by nonce.
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta charset="utf-8"><title>plain</title>
     <script type="importmap" nonce="map">{"imports": {"nearfield": "./nearfield/dist/index.js"}}</script>
     <script type="module" src="app.js"></script><output></output>`,
  );
  writeFileSync(
    join(folder, "app.js"),
    `import { open } from "nearfield";\n${program('"films.nf"', "{}")}
     document.querySelector("output").textContent = JSON.stringify(report);`,
  );
  const policy = "default-src 'none'; connect-src 'self'; script-src 'self' 'nonce-map' 'wasm-unsafe-eval'";
  const report = await inPage(t, folder, { "content-security-policy": policy });
  assert.deepEqual(report, inNode());
});

test("in a page bundled by esbuild, with the wasm copied beside", async (t) => {
  const folder = join(project, "bundled");
  mkdirSync(folder);
  const entry = join(project, "page.js");
  writeFileSync(
    entry,
    `import { open } from "nearfield";\n${program('"films.nf"', '{ wasm: "nearfield.wasm" }')}
     document.querySelector("output").textContent = JSON.stringify(report);`,
  );
  await build({
    entryPoints: [entry],
    outfile: join(folder, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    logLevel: "warning",
  });
  const wasm = "node_modules/nearfield/wasm/nearfield_bg.wasm";
  copyFileSync(join(project, wasm), join(folder, "nearfield.wasm"));
  copyFileSync(archivePath, join(folder, "films.nf"));
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta charset="utf-8"><title>bundled</title>
     <script type="module" src="app.js"></script><output></output>`,
  );
  assert.deepEqual(await inPage(t, folder), inNode());
});
