/** Reading NumPy's `.npy`, as far as the benchmark needs it: float32, row by row. Runs everywhere. */

/**
 * A view of a matrix; nothing is copied.
 *
 * @param buffer - An ArrayBuffer with the whole file.
 * @returns `rows`, `dim`, and `values`: all rows, one after the other.
 */
export function readNpy(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0) !== 0x934e554d) throw new Error("not an npy file");
  const wide = view.getUint8(6) >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(new Uint8Array(buffer, start, length));
  const shape = /'shape': \((\d+), (\d+),? ?\)/.exec(header);
  if (!header.includes("'<f4'") || !header.includes("'fortran_order': False") || shape === null) {
    throw new Error(`expected a float32 matrix in C order, found ${header.trim()}`);
  }
  const [rows, dim] = [Number(shape[1]), Number(shape[2])];
  return { rows, dim, values: new Float32Array(buffer, start + length, rows * dim) };
}
