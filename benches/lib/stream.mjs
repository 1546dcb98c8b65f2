/** A wasm module that does nothing but read, to know how fast memory can be read here. Runs everywhere. */
import { I32, V128, leb, name, section, signedLeb } from "./wasm-bytes.mjs";

/** Bytes read between two comparisons of the loop: eight registers. */
export const STRIDE = 128;
const PAGE = 65_536;
const SUMS = 4;

const [LOOP, BR_IF, END] = [0x03, 0x0d, 0x0b];
const [GET, SET, TEE] = [0x20, 0x21, 0x22];
const LOAD = [0xfd, 0x00];
const ADD_V128 = [0xfd, 0xae, 0x01];
const FIRST_LANE = [0xfd, 0x1b, 0x00];

/**
 * Exports `memory`, with room for so many bytes, and `sum(from, to)`, which adds up what lies between in
 * v128 loads. Four sums, so that no addition waits for the one before it.
 */
export function streamModule(bytes) {
  const add = (i) => [GET, 2 + (i % SUMS), GET, 0, ...LOAD, 4, ...leb(16 * i), ...ADD_V128, SET, 2 + (i % SUMS)];
  const body = [
    ...[1, SUMS, V128], // locals 2 to 5 after the two parameters
    ...[LOOP, 0x40],
    ...Array.from({ length: STRIDE / 16 }, (_, i) => add(i)).flat(),
    ...[GET, 0, 0x41, ...signedLeb(STRIDE), 0x6a, TEE, 0], // from += STRIDE
    ...[GET, 1, 0x49, BR_IF, 0, END], // again while from < to
    ...[GET, 2, GET, 3, ...ADD_V128, GET, 4, ...ADD_V128, GET, 5, ...ADD_V128, ...FIRST_LANE, END],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, I32, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(Math.ceil(bytes / PAGE))]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("sum"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}
