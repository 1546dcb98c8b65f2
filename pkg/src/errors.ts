/**
 * Every failure nearfield can report, as one closed list. Each code asks for a different reaction,
 * which is why there are thirteen and not a hundred:
 *
 * | code | meaning |
 * |---|---|
 * | `E_ARG` | an argument or option is wrong; `details` names it and, where close, the valid name |
 * | `E_FILTER` | a `where` expression does not compile; `details` has the position |
 * | `E_FETCH` | a download failed, or something else came back (an HTML page, too few bytes) |
 * | `E_CORRUPT` | the bytes are damaged or are not an archive |
 * | `E_VERSION` | the archive's format is newer or older than this build reads |
 * | `E_UNSUPPORTED` | the host or the archive lacks something needed (wasm SIMD, a section) |
 * | `E_NOT_READY` | what is asked for has not arrived yet (retryable), or asked after `dispose()` |
 * | `E_MEMORY` | the host refused memory; `details.needed_bytes` says how much was asked for |
 * | `E_ENGINE` | the engine stopped on a defect of its own; a new instance has replaced it |
 * | `E_STORE` | the profile could not be kept (no storage, storage failed, erased meanwhile) |
 * | `E_QUOTA` | the profile could not be kept because storage is full |
 * | `E_ABORTED` | the caller's `AbortSignal` fired, or `dispose()` ended a transfer |
 * | `E_INPUT` | the builder's input is wrong (command line only, never in a page) |
 */
export type ErrorCode =
  | "E_ARG"
  | "E_FILTER"
  | "E_FETCH"
  | "E_CORRUPT"
  | "E_VERSION"
  | "E_UNSUPPORTED"
  | "E_NOT_READY"
  | "E_MEMORY"
  | "E_ENGINE"
  | "E_STORE"
  | "E_QUOTA"
  | "E_ABORTED"
  | "E_INPUT";

/** The codes as a set, to recognise errors that come from the engine as plain objects. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  "E_ARG",
  "E_FILTER",
  "E_FETCH",
  "E_CORRUPT",
  "E_VERSION",
  "E_UNSUPPORTED",
  "E_NOT_READY",
  "E_MEMORY",
  "E_ENGINE",
  "E_STORE",
  "E_QUOTA",
  "E_ABORTED",
  "E_INPUT",
]);

/** Facts about one failure, by name. The names depend on the code; counts and sizes are numbers. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The one error type of this package. Compare `code`, never `message`: messages are for people
 * and may change in any release.
 */
export class NearfieldError extends Error {
  /** Always `"NearfieldError"`, so that it survives copies between realms and bundles. */
  override readonly name = "NearfieldError";
  /** What kind of failure this is. */
  readonly code: ErrorCode;
  /** Facts about this failure; empty when there is nothing to add to the message. */
  readonly details: ErrorDetails;
  /**
   * Whether the same call may succeed later without a change by the caller: a network failure, a
   * busy server, memory that other pages may give back, a part of the archive that has not arrived
   * yet. `false` for everything else.
   */
  readonly retryable: boolean;

  /**
   * @param code - What kind of failure this is.
   * @param message - For people; says what to do where there is something to do.
   * @param details - Facts by name. Default: none.
   * @param options - `cause`: the error underneath. `retryable`: default `false`.
   */
  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options: { readonly cause?: unknown; readonly retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = details;
    this.retryable = options.retryable ?? false;
  }
}

/**
 * Reads an error thrown by the engine. The engine throws plain `Error` objects that carry `name`,
 * `code` and `details`; whatever lacks them (a trap, a stack overflow, an assertion of the glue) is
 * no answer of the engine but its failure.
 *
 * @returns The typed error, or `undefined` when `thrown` is not one.
 */
export function asNearfieldError(thrown: unknown): NearfieldError | undefined {
  if (thrown instanceof NearfieldError) return thrown;
  if (!(thrown instanceof Error) || thrown.name !== "NearfieldError") return undefined;
  const { code, details } = thrown as { code?: unknown; details?: unknown };
  if (typeof code !== "string" || !CODES.has(code)) return undefined;
  return new NearfieldError(
    code as ErrorCode,
    thrown.message,
    typeof details === "object" && details !== null ? { ...details } : {},
    { cause: thrown, retryable: code === "E_MEMORY" || code === "E_NOT_READY" },
  );
}

/**
 * Throws when `signal` has fired. Called between the steps of everything that waits.
 *
 * @throws NearfieldError the signal's reason where it is one already, else `E_ABORTED` with the reason
 *   as its cause.
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    if (signal.reason instanceof NearfieldError) throw signal.reason;
    throw new NearfieldError("E_ABORTED", "the call was aborted by its signal", {}, {
      cause: signal.reason,
    });
  }
}
