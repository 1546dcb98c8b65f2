/** Pieces of wasm modules, written by hand. Runs everywhere. */

export const I32 = 0x7f;
export const V128 = 0x7b;

export const section = (id, content) => [id, ...leb(content.length), ...content];
export const name = (text) => [text.length, ...new TextEncoder().encode(text)];

export function leb(number) {
  return number < 128 ? [number] : [(number % 128) | 128, ...leb(Math.floor(number / 128))];
}

/** Of a number above 0: the highest bit of its last byte is its sign. */
export const signedLeb = (number) =>
  number < 64 ? [number] : [(number % 128) | 128, ...signedLeb(Math.floor(number / 128))];
