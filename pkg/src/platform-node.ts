import { open, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { NearfieldError, throwIfAborted } from "./errors.js";
import type { Platform } from "./platform.js";
import { fetchResponse, responseSource } from "./source.js";
import type { ByteSource } from "./source.js";

/** Bytes per read from disk: large enough that the number of reads does not matter. */
const CHUNK_BYTES = 1 << 20;

/** Node: paths and `file:` URLs are read from disk, other addresses fetched. */
export const node: Platform = {
  async locate(address, signal) {
    // A path on Windows begins like a URL with a one-letter scheme; real schemes are longer.
    const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(String(address))?.[1]?.toLowerCase();
    if (scheme === undefined) return fileSource(String(address));
    if (scheme === "file") return fileSource(fileURLToPath(address));
    return responseSource(await fetchResponse(address, signal));
  },
  defaultWasm: (kind) =>
    kind === "relaxed"
      ? new URL("../wasm/nearfield_relaxed_bg.wasm", import.meta.url)
      : new URL("../wasm/nearfield_bg.wasm", import.meta.url),
};

async function fileSource(path: string): Promise<ByteSource> {
  const fail = (cause: unknown): never => {
    const reason = (cause as { code?: unknown }).code;
    throw new NearfieldError("E_FETCH", `${path}: cannot be read`, { origin: path, reason }, { cause });
  };
  const { size } = await stat(path).catch(fail);
  return {
    origin: path,
    lengthBytes: size,
    async pump(sink, signal) {
      const file = await open(path, "r").catch(fail);
      const buffer = new Uint8Array(Math.max(1, Math.min(size, CHUNK_BYTES)));
      try {
        for (;;) {
          throwIfAborted(signal);
          const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, null).catch(fail);
          if (bytesRead === 0) return;
          sink(buffer.subarray(0, bytesRead));
        }
      } finally {
        await file.close();
      }
    },
  };
}
