/** Runs tasks in Node, each in a process of its own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BenchError } from "./tools.mjs";

const WORKER = fileURLToPath(new URL("node-worker.mjs", import.meta.url));

/** @returns A host: `name`, `version`, `run(task, job)` and `close()`. */
export async function openNode() {
  return {
    name: "Node",
    version: process.version,
    run: (task, job) =>
      new Promise((resolve, reject) => {
        // What peers print on the way is of no interest; errors are.
        const child = fork(WORKER, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
        let result;
        child.once("message", (message) => (result = message));
        child.once("exit", (code, signal) => {
          if (result !== undefined) resolve(result);
          else reject(new BenchError(`Node: ${task} ended with ${signal ?? `exit status ${code}`}`));
        });
        child.send({ task, job });
      }),
    async close() {},
  };
}
