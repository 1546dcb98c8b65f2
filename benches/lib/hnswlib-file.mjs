/** Index files of hnswlib, whose numbers of type `size_t` are as wide as the machine's. Node only. */

/** Header fields in order, with their bytes where they are not a `size_t`. */
const HEADER = [
  ["offsetLevel0"],
  ["maxElements"],
  ["count"],
  ["sizePerElement"],
  ["labelOffset"],
  ["offsetData"],
  ["maxLevel", 4],
  ["entryPoint", 4],
  ["maxM"],
  ["maxM0"],
  ["m"],
  ["mult", 8],
  ["efConstruction"],
];
const WIDE = 8;
const NARROW = 4;

/**
 * A 64-bit machine's file as a 32-bit one writes it. An element's record ends with its label, a `size_t`;
 * what follows the records, the links of upper levels, is the same in both.
 */
export function narrowed(file) {
  const at = {};
  let length = 0;
  for (const [name, bytes = WIDE] of HEADER) {
    at[name] = length;
    length += bytes;
  }
  const number = (name) => Number(file.readBigUInt64LE(at[name]));
  const [count, record] = [number("count"), number("sizePerElement")];
  const records = length + count * record;
  if (number("labelOffset") !== record - WIDE || records > file.length) {
    throw new Error("not an index file of hnswlib on a 64-bit machine");
  }
  const head = HEADER.map(([name, bytes = WIDE]) => {
    if (bytes < WIDE || name === "mult") return file.subarray(at[name], at[name] + bytes);
    const value = number(name) - (name === "sizePerElement" ? WIDE - NARROW : 0);
    const field = Buffer.alloc(NARROW);
    field.writeUInt32LE(value);
    return field;
  });
  const shorter = Buffer.allocUnsafe(count * (record - WIDE + NARROW));
  for (let i = 0, to = 0; i < count; i += 1, to += record - WIDE + NARROW) {
    const from = length + i * record;
    // Little-endian: the lower half of a label comes first.
    file.copy(shorter, to, from, from + record - WIDE + NARROW);
  }
  return Buffer.concat([...head, shorter, file.subarray(records)]);
}
