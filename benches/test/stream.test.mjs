import assert from "node:assert/strict";
import { test } from "node:test";
import { STRIDE, streamModule } from "../lib/stream.mjs";

test("every byte is read once", () => {
  for (const bytes of [STRIDE, 65_536, 200_064]) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(streamModule(bytes)));
    assert.ok(exports.memory.buffer.byteLength >= bytes);
    const words = new Int32Array(exports.memory.buffer, 0, bytes / 4);
    words.forEach((_, i) => (words[i] = i * 7));
    // One lane of each register is returned: every fourth word.
    let sum = 0;
    for (let i = 0; i < words.length; i += 4) sum = (sum + words[i]) | 0;
    assert.equal(exports.sum(0, bytes), sum, `${bytes} bytes`);
  }
});
