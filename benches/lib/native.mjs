/** Peers in native code, which measure.py builds and times in a process of their own. Node only. */
import { BenchError, CACHE, pythonJob, say } from "./tools.mjs";

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

/** Times every variant of every peer; `answers` has the rows found. */
export function measureNative(job) {
  say(`${job.name}: native peers, queries`);
  return pythonJob(SCRIPT, { ...job, cache: CACHE, task: "queries" });
}

/**
 * Of two measurements of the same variants, each one's faster. Native peers cannot take turns with those
 * in a page, so they are timed before and after them, and the weather of the moment counts for the peer.
 */
export const faster = (before, after) =>
  before.map((one, i) => (one.ms <= after[i].ms ? one : after[i]));
