/**
 * Where an archive's sections end, read from its first bytes (`FORMAT.md`, "Frame").
 *
 * The engine alone decides what an archive means. This tells a loader no more than when it is worth
 * asking: what comes out of damaged bytes costs a question too many or an answer a little later.
 */
const HEADER_BYTES = 64;
const ENTRY_BYTES = 32;
const N_SECTIONS_AT = 24;
const MAX_SECTIONS = 64;

/** Length of the longest header and section table. */
export const MAX_FRAME_BYTES = HEADER_BYTES + MAX_SECTIONS * ENTRY_BYTES;

/**
 * The positions at which something becomes complete: the section table, then each section.
 *
 * @param head - The first bytes of an archive, {@link MAX_FRAME_BYTES} or as many as there are.
 * @returns `undefined` while the table is not there.
 */
export function milestones(head: Uint8Array): readonly number[] | undefined {
  if (head.byteLength < HEADER_BYTES) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const nSections = view.getUint32(N_SECTIONS_AT, true);
  // No archive: the engine says so of the header alone.
  if (nSections > MAX_SECTIONS) return [HEADER_BYTES];
  const tableEnd = HEADER_BYTES + nSections * ENTRY_BYTES;
  if (head.byteLength < tableEnd) return undefined;
  const ends = [tableEnd];
  for (let entry = HEADER_BYTES; entry < tableEnd; entry += ENTRY_BYTES) {
    ends.push(Number(view.getBigUint64(entry + 8, true) + view.getBigUint64(entry + 16, true)));
  }
  return ends;
}
