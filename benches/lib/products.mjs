/**
 * A wasm module that does nothing but the dot products of a scan, to know what they cost here. Runs where
 * relaxed SIMD does.
 */
import { I32, V128, leb, name, section, signedLeb } from "./wasm-bytes.mjs";

/** Items of a block, and bytes of them for eight dimensions: as in `src/kernel/code.rs`. */
export const BLOCK = 32;
export const GROUP = 4 * BLOCK;
const PAGE = 65_536;
const REGISTERS = GROUP / 16;

const [LOOP, BR_IF, END] = [0x03, 0x0d, 0x0b];
const [GET, SET] = [0x20, 0x21];
const [I32_CONST, I32_ADD, I32_MUL, I32_LT_U] = [0x41, 0x6a, 0x6c, 0x49];
const simd = (opcode, ...rest) => [0xfd, ...leb(opcode), ...rest];
const load = (at) => simd(0x00, 4, ...leb(at));
const splat4 = (at) => simd(0x09, 2, ...leb(at));
const AND = simd(0x4e);
const SHIFT = simd(0x8d);
const constant = (byte) => simd(0x0c, ...new Array(16).fill(byte));

/** Locals: the four parameters, where the query is read, where the block ends, and registers. */
const [AT, STOP, QUERY, GROUPS, Q, LAST, LOW, HIGH, X, BEST, FIRST] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const get = (local) => [GET, local];
const set = (local) => [SET, local];

const lower = [...get(X), ...constant(15), ...AND];
const upper = [...get(X), I32_CONST, 4, ...SHIFT, ...constant(15), ...AND];
const FOURS = simd(0x113);
const PAIRS = simd(0x112);
const ADD_16 = simd(0x8e);

/**
 * How a register's sums are brought up to date with 16 bytes, in `X`: four products added in 32 bits, or two of
 * them in 16 (whose overflow is nobody's concern here); and where the largest is looked for.
 */
const FORMS = {
  fours: {
    add: (sum) => [...get(HIGH), ...upper, ...get(LOW), ...lower, ...get(sum), ...FOURS, ...FOURS, ...set(sum)],
    max: simd(0xb8),
    first: simd(0x1b, 0),
  },
  pairs: {
    add: (sum) => [
      ...get(sum),
      ...[...get(LOW), ...lower, ...PAIRS, ...ADD_16],
      ...[...get(HIGH), ...upper, ...PAIRS, ...ADD_16],
      ...set(sum),
    ],
    max: simd(0x98),
    first: simd(0x18, 0),
  },
};
export const forms = Object.keys(FORMS);

/**
 * Exports `memory`, with room for so many bytes, and `scan(from, to, query, groups)`: the largest dot product
 * (0 if none is larger) of the query, bytes with sign, with the codes of 4 bits that lie in blocks between,
 * so many groups of eight dimensions each; of the first of every four items, and by pairs of products only of the
 * first half of each four dimensions.
 */
export function productsModule(form, bytes) {
  const { add, max, first } = FORMS[form];
  const each = Array.from({ length: REGISTERS }, (_, i) => FIRST + i);
  const body = [
    ...[2, LOW - Q, I32, FIRST + REGISTERS - LOW, V128],
    ...[LOOP, 0x40],
    ...each.flatMap((sum) => [...constant(0), ...set(sum)]),
    ...[...get(QUERY), ...set(Q)],
    ...[...get(AT), ...get(GROUPS), I32_CONST, ...signedLeb(GROUP), I32_MUL, I32_ADD, ...set(LAST)],
    ...[LOOP, 0x40],
    ...[...get(Q), ...splat4(0), ...set(LOW), ...get(Q), ...splat4(4), ...set(HIGH)],
    ...each.flatMap((sum, i) => [...get(AT), ...load(16 * i), ...set(X), ...add(sum)]),
    ...[...get(Q), I32_CONST, 8, I32_ADD, ...set(Q)],
    ...[...get(AT), I32_CONST, ...signedLeb(GROUP), I32_ADD, ...set(AT)],
    ...[...get(AT), ...get(LAST), I32_LT_U, BR_IF, 0, END],
    ...each.flatMap((sum) => [...get(BEST), ...get(sum), ...max, ...set(BEST)]),
    ...[...get(AT), ...get(STOP), I32_LT_U, BR_IF, 0, END],
    ...[...get(BEST), ...first, END],
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 4, I32, I32, I32, I32, 1, I32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...leb(Math.ceil(bytes / PAGE))]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("scan"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}
