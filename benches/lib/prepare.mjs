/** What has to be there before anything is measured. Node only. */
import { statSync } from "node:fs";
import { truth } from "./exact.mjs";
import { prepareNative } from "./native.mjs";
import { sieveFile } from "./sieve.mjs";
import { archiveSizes, searchBytes } from "./sizes.mjs";
import { BenchError, absolute, digest } from "./tools.mjs";

/** Neighbours asked for. */
export const K = 10;

/** Those whose key (or name) is in a list; all of them without a list. */
export function chosen(all, wanted, key = "key") {
  if (wanted === undefined) return all;
  const unknown = wanted.filter((name) => !all.some((one) => one[key] === name));
  if (unknown.length > 0) {
    throw new BenchError(`no ${unknown.join(", ")} among ${all.map((one) => one[key]).join(", ")}`);
  }
  return all.filter((one) => wanted.includes(one[key]));
}

/**
 * Data, true answers and indexes of one data set, made where they are not there yet.
 *
 * @param wanted - Keys of the peers to measure; all of them without.
 * @returns `job`, for a host's tasks; `native`, for native peers, where they are measured; `indexes` and
 *   `digest`, for the record.
 */
export async function prepare(set, allPeers, wanted) {
  const files = await set.prepare();
  const base = await digest(files.base);
  if (set.digest !== undefined && base !== set.digest) {
    throw new BenchError(`${set.name}: expected digest ${set.digest}, found ${base}: ${files.base} is other data`);
  }
  const { name, metric, passes, rows, dim, filters = [] } = set;
  const nativeJob = { name, metric, passes, digest: base, ...files, k: K };
  const native = prepareNative(nativeJob);
  const measured = chosen([...allPeers, ...native], wanted);
  const nativeKeys = native.filter((peer) => measured.includes(peer)).map(({ key }) => key);
  const measuresQueries = set.measures.includes("queries");
  const truths = {};
  for (const below of measuresQueries ? [100, ...filters] : []) {
    const sieve = below < 100 ? { path: await sieveFile(rows), below } : undefined;
    truths[below] = await truth(set, files, K, sieve);
  }
  const peers = [];
  const indexes = [];
  const paths = Object.fromEntries(native.map(({ key, index }) => [key, index]));
  for (const peer of measured.filter(({ module }) => module !== undefined)) {
    if (!((await peer.takes?.(set)) ?? true)) continue;
    const index = await peer.prepare(set, files, paths);
    peers.push({ module: peer.module, index, variants: await peer.variants(set, index), peer });
    if (!peer.yardstick && !peer.builds) indexes.push(await indexOf(peer, index, rows));
  }
  for (const peer of native.filter(({ key }) => nativeKeys.includes(key))) {
    indexes.push(await indexOf(peer, peer.index, rows));
  }
  const timed = measuresQueries && nativeKeys.length > 0;
  return {
    job: { set: { metric, rows, dim, queries: files.queries, truths }, k: K, passes, peers },
    native: timed ? { job: { ...nativeJob, peers: nativeKeys }, peers: native } : undefined,
    indexes,
    digest: base,
  };
}

/** Of ours, what a search reads counts; what stands beside it in an archive is told section by section. */
async function indexOf({ key, name, judged }, path, rows) {
  const bytes = statSync(absolute(path)).size;
  const sections = judged ? (await archiveSizes(path)).sections : undefined;
  return { peer: key, name, bytes, bytesPerItem: (sections ? searchBytes(sections) : bytes) / rows, sections };
}
