import { asNearfieldError, NearfieldError, throwIfAborted } from "./errors.js";
import { Instance } from "./instance.js";
import type { Platform } from "./platform.js";
import { blobSource, bytesSource, looksLikeHtml, readAll, responseSource } from "./source.js";
import type { ByteSource } from "./source.js";
import type { ArchiveSource, Progress } from "./types.js";
import { wrong } from "./options.js";

/**
 * Finds an archive's bytes.
 *
 * @throws NearfieldError `E_ARG` for something that is no source, `E_FETCH`, `E_ABORTED`.
 */
export async function archiveSource(
  archive: ArchiveSource,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<ByteSource> {
  if (typeof archive === "string" || archive instanceof URL) return platform.locate(archive, signal);
  if (archive instanceof ArrayBuffer || archive instanceof Uint8Array) return bytesSource(archive);
  if (typeof Blob === "function" && archive instanceof Blob) return blobSource(archive);
  if (typeof Response === "function" && archive instanceof Response) return responseSource(archive);
  throw wrong("open archive", "an address, a Response, bytes or a Blob", archive);
}

/**
 * Brings an archive into a new instance and opens it there.
 *
 * Where the length is known, every chunk goes from the network straight into the engine's memory, so
 * the archive exists once; otherwise it is gathered first, because the engine reserves its one aligned
 * buffer in one piece.
 *
 * @throws NearfieldError `E_FETCH`, `E_ABORTED`, `E_MEMORY`, `E_CORRUPT`, `E_VERSION`, `E_UNSUPPORTED`,
 *   `E_ENGINE`.
 */
export async function load(
  compiling: Promise<WebAssembly.Module>,
  source: ByteSource,
  options: {
    readonly signal: AbortSignal | undefined;
    readonly onProgress: ((progress: Progress) => void) | undefined;
    readonly verify: boolean;
  },
): Promise<Instance> {
  const { signal, onProgress, verify } = options;
  const { lengthBytes: totalBytes } = source;
  const report = (receivedBytes: number): void => onProgress?.({ receivedBytes, totalBytes });
  let instance: Instance;
  if (totalBytes === undefined) {
    const bytes = await readAll(source, signal, report);
    instance = await Instance.create(await compiling, bytes.byteLength);
    instance.write(0, bytes);
  } else {
    instance = await Instance.create(await compiling, totalBytes);
    throwIfAborted(signal);
    await fill(instance, source, totalBytes, signal, report);
  }
  throwIfAborted(signal);
  openEngine(instance, source.origin, verify);
  return instance;
}

async function fill(
  instance: Instance,
  source: ByteSource,
  expected: number,
  signal: AbortSignal | undefined,
  report: (receivedBytes: number) => void,
): Promise<void> {
  let received = 0;
  await source.pump((chunk) => {
    if (received + chunk.byteLength > expected) throw wrongLength(source, expected, "more");
    instance.write(received, chunk);
    received += chunk.byteLength;
    report(received);
  }, signal);
  if (received !== expected) throw wrongLength(source, expected, received);
}

function wrongLength(source: ByteSource, expected: number, found: number | "more"): NearfieldError {
  const { origin } = source;
  return new NearfieldError(
    "E_FETCH",
    `${origin}: expected ${expected} bytes, found ${found}`,
    { origin, expected_bytes: expected, found_bytes: found },
    { retryable: true },
  );
}

function openEngine(instance: Instance, origin: string, verify: boolean): void {
  // Taken now: an engine that refuses an archive gives its memory back.
  const head = instance.head(2);
  try {
    instance.engine.open();
    if (verify) instance.engine.verify();
  } catch (thrown) {
    const typed = asNearfieldError(thrown);
    if (typed?.code === "E_CORRUPT" && looksLikeHtml(head)) {
      throw new NearfieldError(
        "E_FETCH",
        `${origin}: an HTML page came instead of an archive; check the address`,
        { origin, found: "html" },
        { cause: typed },
      );
    }
    throw typed ?? new NearfieldError("E_ENGINE", "the engine stopped while opening the archive", {}, {
      cause: thrown,
    });
  }
}
