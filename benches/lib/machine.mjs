/** Where and from what a record was made. Node only. */
import { execFileSync } from "node:child_process";
import { cpus, loadavg, totalmem } from "node:os";
import { ROOT } from "./tools.mjs";

/** What a program prints, or `undefined`: a record with a gap is better than none. */
function ask(program, ...args) {
  try {
    const stdio = ["ignore", "pipe", "ignore"];
    return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio }).trim();
  } catch {
    return undefined;
  }
}

/** The machine, the toolchain and the commit. */
export function machine() {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: ask("git", "rev-parse", "--short=10", "HEAD") ?? "uncommitted",
    // Records themselves do not change what was measured.
    changed: ask("git", "status", "--porcelain", "--", ".", ":!benches/record") !== "",
    cpu: `${processors[0]?.model} (${processors.length} cores)`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: ask("uname", "-sr"),
    rustc: ask("rustc", "--version"),
    // What others asked of it in the last minute, 1 being one core.
    load: loadavg()[0],
  };
}
