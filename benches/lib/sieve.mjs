/** What filters of the benchmark select by: a number from 0 to 99 for every row. Node only. */
import { writeFileSync } from "node:fs";
import { absolute, cached } from "./tools.mjs";

/** Of the rows, `p` per cent lie below `p`: which ones has nothing to do with where their vectors lie. */
export function sieve(rows) {
  return Uint8Array.from({ length: rows }, (_, row) => Math.floor((mixed(row) / 2 ** 32) * 100));
}

/** The same as a path of a file of one byte a row. */
export const sieveFile = (rows) =>
  cached(`sieve-${rows}.bin`, (path) => writeFileSync(absolute(path), sieve(rows)));

/** The last steps of MurmurHash3, which spread 32 bits over 32 bits. */
function mixed(number) {
  let bits = number + 1;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
