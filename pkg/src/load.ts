import type { EngineEntry } from "./contract.js";
import { NearfieldError, throwIfAborted } from "./errors.js";
import { Instance } from "./instance.js";
import { wrong } from "./options.js";
import type { Platform } from "./platform.js";
import { MAX_FRAME_BYTES, milestones } from "./sections.js";
import { blobSource, bytesSource, looksLikeHtml, readAll, responseSource } from "./source.js";
import type { ByteSource } from "./source.js";
import { Supervisor } from "./supervisor.js";
import type { ArchiveSource, Progress } from "./types.js";

/** Finds an archive's bytes. */
async function archiveSource(
  archive: ArchiveSource,
  platform: Platform,
  signal: AbortSignal,
): Promise<ByteSource> {
  if (typeof archive === "string" || archive instanceof URL) return platform.locate(archive, signal);
  if (archive instanceof ArrayBuffer || archive instanceof Uint8Array) return bytesSource(archive);
  if (typeof Blob === "function" && archive instanceof Blob) return blobSource(archive);
  if (typeof Response === "function" && archive instanceof Response) return responseSource(archive);
  throw wrong("open archive", "an address, a Response, bytes or a Blob", archive);
}

/** What {@link load} needs. */
export interface LoadRequest {
  readonly archive: ArchiveSource;
  readonly platform: Platform;
  readonly compiling: Promise<WebAssembly.Module>;
  /** Gives the profile's log, for instances that replace one that stopped. */
  readonly log: () => Iterable<EngineEntry>;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Whether a section's hash is checked before the engine answers from it. */
  readonly verify: boolean;
}

/** An archive on its way into an engine. */
export interface Loading {
  /** Resolves when there is enough of the archive to answer. */
  readonly opened: Promise<Supervisor>;
  /** Resolves when all of it is there. */
  readonly loaded: Promise<void>;
  /** Ends the transfer; what has not resolved then rejects with `reason`. */
  stop(reason: NearfieldError): void;
}

/**
 * Brings an archive into an engine of its own.
 *
 * Where the length is known, every chunk goes from the network straight into the engine's memory, so
 * the archive exists once; otherwise it is gathered first, because the engine reserves its one aligned
 * buffer in one piece.
 *
 * Both promises reject with NearfieldError `E_ARG` (no source), `E_FETCH`, `E_ABORTED`, `E_MEMORY`,
 * `E_CORRUPT`, `E_VERSION`, `E_UNSUPPORTED`, `E_ENGINE`, or with what `onProgress` throws. Nobody has
 * to listen to them.
 */
export function load(request: LoadRequest): Loading {
  const { signal } = request;
  const control = new AbortController();
  const follow = (): void => control.abort(signal?.reason);
  if (signal?.aborted) follow();
  signal?.addEventListener("abort", follow);
  let onOpen: (supervisor: Supervisor) => void = () => {};
  const open = new Promise<Supervisor>((resolve) => {
    onOpen = resolve;
  });
  const loaded = transfer(request, control.signal, onOpen).finally(() => {
    signal?.removeEventListener("abort", follow);
  });
  const opened = Promise.race([open, loaded.then(() => open)]);
  // An application that goes on with what has arrived need not hear of the rest.
  loaded.catch(() => {});
  opened.catch(() => {});
  return { opened, loaded, stop: (reason) => control.abort(reason) };
}

async function transfer(
  { archive, platform, compiling, log, onProgress, verify }: LoadRequest,
  signal: AbortSignal,
  onOpen: (supervisor: Supervisor) => void,
): Promise<void> {
  let source = await archiveSource(archive, platform, signal);
  const { origin, lengthBytes: totalBytes } = source;
  let report = (receivedBytes: number): void => onProgress?.({ receivedBytes, totalBytes });
  if (totalBytes === undefined) {
    source = bytesSource(await readAll(source, signal, report));
    report = () => {};
  }
  const expected = source.lengthBytes ?? 0;
  const module = await compiling;
  const instance = await Instance.create(module, expected);
  throwIfAborted(signal);
  const supervisor = new Supervisor(module, instance, log);
  const arrive = (): void => {
    if (tellEngine(supervisor, origin, verify)) onOpen(supervisor);
  };
  let received = 0;
  let marks: readonly number[] | undefined;
  await source.pump((chunk) => {
    // Some sources look at the signal before they read, not behind.
    throwIfAborted(signal);
    const before = received;
    if (before + chunk.byteLength > expected) throw wrongLength(origin, expected, "more");
    supervisor.append(chunk);
    received += chunk.byteLength;
    const known = marks;
    marks ??= milestones(supervisor.head(MAX_FRAME_BYTES));
    if (marks?.some((mark) => mark <= received && (known === undefined || mark > before))) arrive();
    report(received);
  }, signal);
  if (received !== expected) throw wrongLength(origin, expected, received);
  // Whatever the table says, and for an empty archive, the engine sees all there is.
  arrive();
}

/** Has the engine look at what has arrived; an HTML page is recognised as such. */
function tellEngine(supervisor: Supervisor, origin: string, verify: boolean): boolean {
  // Taken now: an engine that refuses an archive gives its memory back.
  const head = supervisor.head(2);
  try {
    return supervisor.arrive(verify);
  } catch (cause) {
    if (!(cause instanceof NearfieldError) || cause.code !== "E_CORRUPT" || !looksLikeHtml(head)) throw cause;
    throw new NearfieldError(
      "E_FETCH",
      `${origin}: an HTML page came instead of an archive; check the address`,
      { origin, found: "html" },
      { cause },
    );
  }
}

function wrongLength(origin: string, expected: number, found: number | "more"): NearfieldError {
  return new NearfieldError(
    "E_FETCH",
    `${origin}: expected ${expected} bytes, found ${found}`,
    { origin, expected_bytes: expected, found_bytes: found },
    { retryable: true },
  );
}
