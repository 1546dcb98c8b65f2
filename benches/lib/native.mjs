/** Peers in native code, which measure.py builds and lets answer in a process of its own. Node only. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { BenchError, CACHE, PYTHON, ROOT, pythonJob, say } from "./tools.mjs";

const SCRIPT = "benches/native/measure.py";
/** Without this one there is nothing to compare with: the others are reported where installed. */
const NEEDED = "hnswlib";

/**
 * Builds what has not been built yet.
 *
 * @returns `{key, name, index}` of every peer that is installed.
 */
export function prepareNative(job) {
  const peers = pythonJob(SCRIPT, { ...job, cache: CACHE, task: "prepare" });
  if (job.peers === undefined && !peers.some(({ key }) => key === NEEDED)) {
    throw new BenchError(`native ${NEEDED} is not installed; run .ci/setup python native`);
  }
  return peers;
}

/**
 * Has every variant of every peer ready to answer, until it is stopped.
 *
 * @returns `address`, where a host asks them (see the script), and `stop()`.
 */
export async function startNative(job) {
  say(`${job.name}: native peers load their indexes`);
  const child = spawn(PYTHON, [SCRIPT], { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  child.stdin.write(`${JSON.stringify({ ...job, cache: CACHE, task: "answer" })}\n`);
  const told = once(createInterface(child.stdout), "line");
  const first = await Promise.race([told, ended.then(() => undefined)]);
  if (first === undefined) throw new BenchError(`${SCRIPT} ended before it could answer`);
  return {
    address: `http://127.0.0.1:${JSON.parse(first[0]).port}/`,
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
