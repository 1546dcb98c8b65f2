/**
 * The README's example runs as it stands there, and prints what stands there. `UPDATE_README=1` puts what
 * it prints into the README, after the film archive has changed.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { archivePath } from "../support/archive.mjs";

const pkg = fileURLToPath(new URL("../..", import.meta.url));

test("the first example prints what the README shows", (t) => {
  const readme = readFileSync(join(pkg, "README.md"), "utf8");
  const [, code, output] = /^```js\n(import .*?)^```$.*?^```text\n(.*?)^```$/ms.exec(readme) ?? [];
  assert.ok(code !== undefined, "README.md has a js block and a text block after it");
  assert.ok(code.trim().split("\n").filter((line) => !/^\W*$/.test(line)).length <= 10, "ten lines");
  // As in a project of its own: the package by its name, the archive beside the program.
  const project = mkdtempSync(join(tmpdir(), "nearfield-readme-"));
  t.after(() => rmSync(project, { recursive: true, force: true }));
  mkdirSync(join(project, "node_modules"));
  symlinkSync(pkg, join(project, "node_modules", "nearfield"), "dir");
  symlinkSync(archivePath, join(project, "films.nf"));
  writeFileSync(join(project, "example.mjs"), code);
  const printed = execFileSync(process.execPath, ["example.mjs"], { cwd: project, encoding: "utf8" });
  if (process.env.UPDATE_README === "1") {
    return writeFileSync(join(pkg, "README.md"), readme.replace(`\`\`\`text\n${output}`, () => `\`\`\`text\n${printed}`));
  }
  assert.equal(printed, output);
});
