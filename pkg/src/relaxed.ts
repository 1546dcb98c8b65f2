/**
 * Does this host compute relaxed SIMD's byte dot product as the engine needs it?
 *
 * Relaxed operations may differ between hosts outside their defined range, and a compiler may have a
 * defect inside it: Node 20 with the flag for relaxed SIMD returns this form doubled from one of its two
 * compilers. Accepting the instruction is therefore no proof. The probe runs the one form that the
 * engine uses and compares every sum with JavaScript's own.
 */

/**
 * One function over one page of memory: the dot product of the 16 signed bytes at 0 with the 16 bytes
 * at 16, four neighbours a sum, and the four 32-bit integers at 48, go to the four integers at 32.
 */
const PROBE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic, version
  ...[1, 4, 1, 0x60, 0, 0], // type 0: () -> ()
  ...[3, 2, 1, 0], // function 0 has type 0
  ...[5, 3, 1, 0, 1], // memory 0: one page
  ...[7, 9, 2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0], // exports: "m" is memory 0, "f" function 0
  ...[10, 31, 1, 29, 0], // its body, without locals
  ...[0x41, 32, 0x41, 0, 0xfd, 0, 4, 0, 0x41, 16, 0xfd, 0, 4, 0], // 32, load(0), load(16)
  ...[0x41, 48, 0xfd, 0, 4, 0], // load(48)
  ...[0xfd, 0x93, 2], // i32x4.relaxed_dot_i8x16_i7x16_add_s
  ...[0xfd, 11, 4, 0, 0x0b], // store
);

/** Inputs tried: with 255 and 128 values a byte, each of the 16 places meets small, large and both signs. */
const ROUNDS = 64;

/**
 * Runs the probe. The first two rounds are the extremes of the defined range, where saturation would
 * show; in the others neighbours differ in every place, so that swapped operands, an exchanged pair, a
 * wrong lane or a doubled sum shows, and so do sums that are not added to what was there. It sees the
 * compiler that a host uses at first, and no later one. Costs 0.2 ms in Node 20, beside what a host spends
 * on its first wasm module of all; its memory is dropped.
 *
 * @returns `false` too where the host knows no relaxed SIMD.
 */
export function hasRelaxedDot(): boolean {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(PROBE));
    const { m: memory, f: dot } = exports as { m: WebAssembly.Memory; f: () => void };
    const signed = new Int8Array(memory.buffer, 0, 16);
    const short = new Uint8Array(memory.buffer, 16, 16);
    const [sums, before] = [new Int32Array(memory.buffer, 32, 4), new Int32Array(memory.buffer, 48, 4)];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < 16; i += 1) {
        // -127 to 127 and 0 to 127; -128 is left out, and the engine never has it.
        signed[i] = round === 0 ? 127 : round === 1 ? -127 : ((37 * round + 101 * i) % 255) - 127;
        short[i] = round < 2 ? 127 : (29 * round + 53 * i) % 128;
      }
      for (let i = 0; i < 4; i += 1) before[i] = (round * (i + 1) * 7919) % 100003;
      dot();
      const product = (i: number): number => (signed[i] ?? NaN) * (short[i] ?? NaN);
      const four = (i: number): number => product(i) + product(i + 1) + product(i + 2) + product(i + 3);
      if (!sums.every((sum, i) => sum === (before[i] ?? NaN) + four(4 * i))) return false;
    }
    return true;
  } catch {
    return false;
  }
}
