/** What preparing data and indexes needs. Node only. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

/** The repository's root. All paths in jobs are relative to it, because pages see it as `/`. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Where generated data, indexes and answers are kept between runs. */
export const CACHE = "target/bench";
mkdirSync(join(ROOT, CACHE), { recursive: true });

/** The path of something in the repository for Node's own functions. */
export const absolute = (path) => join(ROOT, path);

export const readJson = (path) => JSON.parse(readFileSync(absolute(path), "utf8"));

/** A failure whose message is enough; its stack would only hide it. */
export class BenchError extends Error {}

/** Runs a program in the repository's root, with a text to read, and returns what it prints. */
export function run(program, args, input = "") {
  try {
    const stdio = ["pipe", "pipe", "inherit"];
    return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", input, stdio, maxBuffer: 2 ** 28 });
  } catch (error) {
    const reason = error.code === "ENOENT" ? "not found" : `failed (exit status ${error.status})`;
    throw new BenchError(`${program} ${args.join(" ")}: ${reason}`);
  }
}

/** Runs the nearfield command, which `make bench` builds first. */
export const nearfield = (...args) => run(absolute("target/release/nearfield"), args);

/** With what `.ci/setup python native` installs; relative to the root. */
export const PYTHON = "target/venv/bin/python";

/** Runs a Python script. */
export const python = (script, ...args) => run(PYTHON, [script, ...args]);

/** The same for a script that reads a job and may print a result, both JSON. */
export function pythonJob(script, job) {
  const printed = run(PYTHON, [script], `${JSON.stringify(job)}\n`);
  return printed === "" ? undefined : JSON.parse(printed);
}

/** The first 16 hexadecimal digits of a file's SHA-256: enough to tell two files of a benchmark apart. */
export async function digest(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(absolute(path)), hash);
  return hash.digest("hex").slice(0, 16);
}

/**
 * Makes a file once. It is written under another name first, so that a run that was interrupted leaves
 * nothing that looks finished.
 *
 * @param name - File name inside the cache; put into it everything that the content depends on.
 * @param make - Writes the file at the path it is given, relative to the root.
 * @returns The file's path, relative to the root.
 */
export async function cached(name, make) {
  const path = `${CACHE}/${name}`;
  if (!existsSync(absolute(path))) {
    await make(`${path}.part`);
    renameSync(absolute(`${path}.part`), absolute(path));
  }
  return path;
}

/** Says what is being done, in one line. */
export const say = (text) => console.log(`bench: ${text}`);
