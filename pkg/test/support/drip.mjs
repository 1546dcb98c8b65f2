/** An archive that arrives as a test wants it. */

/** Names of the sections, in the order in which they lie. */
const NAMES = ["ids", "model", "lists", "blocks", "columns", "codes", "refining", "neighbours", "titles", "texts"];

/**
 * Where each section lies, read from the archive's table: `{codes: [start, end], ...}`, and `table`, which
 * ends before the first of them.
 */
export function sectionsOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = NAMES.map((name, i) => {
    const at = 64 + 32 * i;
    const start = Number(view.getBigUint64(at + 8, true));
    return [name, [start, start + Number(view.getBigUint64(at + 16, true))]];
  });
  return { table: [64, 64 + 32 * NAMES.length], ...Object.fromEntries(entries) };
}

/**
 * A response whose bytes come when the test says so.
 *
 * @returns `response`; `upTo(end)` delivers what lies before `end` and waits until it has been taken;
 *   `end()` and `breakOff()` end the transfer; `cancelled` tells whether the reader gave it up.
 */
export function drip(bytes) {
  let controller;
  let sent = 0;
  const state = { cancelled: false };
  const stream = new ReadableStream({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      state.cancelled = true;
    },
  });
  /** Readers take what is queued in microtasks: one turn of the event loop later it has been taken. */
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
  return {
    response: new Response(stream, { headers: { "content-length": String(bytes.length) } }),
    async upTo(end) {
      if (end > sent) controller.enqueue(bytes.subarray(sent, end));
      sent = Math.max(sent, end);
      for (let turns = 0; turns === 0 || (controller.desiredSize < 1 && !state.cancelled); turns += 1) {
        if (turns > 1000) throw new Error(`nobody takes the bytes up to ${end}`);
        await turn();
      }
    },
    end: () => controller.close(),
    breakOff: () => controller.error(new TypeError("network error")),
    get cancelled() {
      return state.cancelled;
    },
  };
}
