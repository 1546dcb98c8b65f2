import { NearfieldError, throwIfAborted } from "./errors.js";

/** Bytes that can be read once, from the first to the last. */
export interface ByteSource {
  /** Where the bytes come from, for messages. */
  readonly origin: string;
  /** How many will come; `undefined` when that is not known beforehand. */
  readonly lengthBytes: number | undefined;
  /**
   * Hands over every chunk in order. A chunk is only borrowed: the sink copies what it keeps.
   *
   * @throws NearfieldError `E_FETCH` when the transfer breaks, `E_ABORTED` when the signal fires.
   */
  pump(sink: (chunk: Uint8Array) => void, signal: AbortSignal | undefined): Promise<void>;
}

/** Bytes that already lie in memory. */
export function bytesSource(bytes: ArrayBuffer | Uint8Array): ByteSource {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  return {
    origin: "bytes",
    lengthBytes: view.byteLength,
    async pump(sink) {
      sink(view);
    },
  };
}

/** A file the person picked, or bytes kept by the browser. */
export function blobSource(blob: Blob): ByteSource {
  return {
    origin: "blob",
    lengthBytes: blob.size,
    pump: (sink, signal) => pumpStream(blob.stream(), "blob", sink, signal),
  };
}

/**
 * A response. Its length is believed only where the transfer is not compressed, because
 * `Content-Length` counts the bytes on the wire and the stream gives those after decoding.
 *
 * @throws NearfieldError `E_FETCH` for a status that is not a success, or a body already read.
 */
export function responseSource(response: Response): ByteSource {
  const origin = response.url === "" ? "response" : response.url;
  if (!response.ok) throw httpError(response, origin);
  if (response.bodyUsed || response.body === null) {
    throw new NearfieldError("E_FETCH", `${origin}: the response has no body left to read`, { origin });
  }
  const { body, headers } = response;
  const encoded = (headers.get("content-encoding") ?? "identity") !== "identity";
  const stated = encoded ? null : headers.get("content-length");
  const lengthBytes = stated !== null && /^\d{1,15}$/.test(stated) ? Number(stated) : undefined;
  return { origin, lengthBytes, pump: (sink, signal) => pumpStream(body, origin, sink, signal) };
}

/**
 * Fetches an address.
 *
 * @throws NearfieldError `E_FETCH` when no answer comes or its status is not a success, `E_ABORTED`.
 */
export async function fetchResponse(
  address: string | URL,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const origin = String(address);
  let response: Response;
  try {
    response = await fetch(address, signal === undefined ? {} : { signal });
  } catch (cause) {
    throwIfAborted(signal);
    throw new NearfieldError("E_FETCH", `${origin}: no answer`, { origin }, { cause, retryable: true });
  }
  if (!response.ok) throw httpError(response, origin);
  return response;
}

/** A status of 408, 429 or 5xx may pass; the rest says the address is wrong. */
function httpError(response: Response, origin: string): NearfieldError {
  const { status } = response;
  return new NearfieldError("E_FETCH", `${origin}: HTTP status ${status}`, { origin, status }, {
    retryable: status === 408 || status === 429 || status >= 500,
  });
}

async function pumpStream(
  stream: ReadableStream<Uint8Array>,
  origin: string,
  sink: (chunk: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const reader = stream.getReader();
  // A signal given together with a ready Response or Blob stops no transfer by itself.
  const onAbort = (): void => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      const step = await reader.read().catch((cause: unknown) => {
        throwIfAborted(signal);
        throw new NearfieldError("E_FETCH", `${origin}: the transfer broke off`, { origin }, {
          cause,
          retryable: true,
        });
      });
      throwIfAborted(signal);
      if (step.done) return;
      sink(step.value);
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Reads a source to its end into one array. */
export async function readAll(
  source: ByteSource,
  signal: AbortSignal | undefined,
  onChunk?: (receivedBytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  await source.pump((chunk) => {
    chunks.push(chunk.slice());
    received += chunk.byteLength;
    onChunk?.(received);
  }, signal);
  const all = new Uint8Array(received);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}

/**
 * Whether bytes begin like a page (`<!doctype`, `<html`): what servers with a catch-all route, and
 * development servers that moved the file, send instead of a 404.
 */
export function looksLikeHtml(bytes: Uint8Array): boolean {
  const second = bytes[1] ?? 0;
  return bytes[0] === 0x3c && (second === 0x21 || (second | 0x20) === 0x68);
}
