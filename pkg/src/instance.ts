import { instantiateGlue } from "../wasm/glue.js";
import type { Engine, EngineAnswer } from "./contract.js";
import { asNearfieldError, NearfieldError } from "./errors.js";

/** What wasm can address; the engine would take a greater length for its remainder. */
const ADDRESS_SPACE_BYTES = 2 ** 32;

/**
 * One wasm instance with room for one archive. An instance is never reused for another archive: wasm
 * memory cannot shrink, so giving memory back means dropping the whole instance.
 */
export class Instance {
  readonly engine: Engine;
  readonly lengthBytes: number;
  readonly #memory: WebAssembly.Memory;
  readonly #address: number;
  /** All of the memory, kept since a view of it takes a while to make. */
  #numbers = new Float64Array();
  #received = 0;
  #arrived = 0;

  private constructor(engine: Engine, memory: WebAssembly.Memory, lengthBytes: number) {
    this.engine = engine;
    this.lengthBytes = lengthBytes;
    this.#memory = memory;
    this.#address = engine.address();
  }

  /**
   * Instantiates the module and reserves `lengthBytes` for an archive.
   *
   * @throws NearfieldError `E_MEMORY` when the host refuses that much or nothing could hold it, `E_ENGINE`.
   */
  static async create(module: WebAssembly.Module, lengthBytes: number): Promise<Instance> {
    if (lengthBytes >= ADDRESS_SPACE_BYTES) {
      throw new NearfieldError("E_MEMORY", "no wasm instance can hold an archive of 4 GiB or more", {
        needed_bytes: lengthBytes,
      });
    }
    const glue = instantiateGlue();
    try {
      const { memory } = await glue({ module_or_path: module });
      return new Instance(new glue.Engine(lengthBytes), memory, lengthBytes);
    } catch (thrown) {
      throw notStarted(thrown, lengthBytes);
    }
  }

  /**
   * A second instance of the same module with the same archive bytes, copied from this one's memory,
   * and opened as far as this one was. Nothing is called in this instance, which may have stopped in
   * the middle of anything; a wasm trap leaves its memory readable. The sections are checked, because
   * that memory belongs to something that went wrong.
   *
   * @throws NearfieldError `E_MEMORY`, `E_CORRUPT`, `E_ENGINE`.
   */
  clone(module: WebAssembly.Module): Instance {
    const glue = instantiateGlue();
    try {
      const { memory } = glue.initSync({ module });
      const copy = new Instance(new glue.Engine(this.lengthBytes), memory, this.lengthBytes);
      copy.#view().set(this.#view());
      copy.#received = this.#arrived;
      copy.arrive(true);
      copy.#received = this.#received;
      return copy;
    } catch (thrown) {
      throw notStarted(thrown, this.lengthBytes);
    }
  }

  /** How many bytes of the archive have been written, from its start. */
  get receivedBytes(): number {
    return this.#received;
  }

  /** Whether enough had arrived, at the last look, to open the archive. */
  get isOpen(): boolean {
    return this.#arrived > 0;
  }

  /** Writes the next piece of the archive; the caller keeps within `lengthBytes`. */
  append(chunk: Uint8Array): void {
    this.#view().set(chunk, this.#received);
    this.#received += chunk.byteLength;
  }

  /**
   * Has the engine look at what has been written: it opens the archive once that suffices, and knows
   * the sections that have been completed since.
   *
   * @param verify - Whether to check those sections' hashes.
   * @returns {@link isOpen}.
   * @throws whatever the engine throws. The engine may know of sections then that are damaged, and
   *   must not be asked again; {@link clone} gives one that knows those of the last look.
   */
  arrive(verify: boolean): boolean {
    if (this.engine.arrive(this.#received)) {
      if (verify) this.engine.verify(this.#arrived);
      this.#arrived = this.#received;
    }
    return this.isOpen;
  }

  /** The first bytes of the archive, at most `length` of those written, copied. */
  head(length: number): Uint8Array {
    return this.#view().slice(0, Math.min(length, this.#received));
  }

  /**
   * The nearest items to a vector when nothing else is asked.
   *
   * @param recall - `NaN` for the archive's own, `Infinity` for all items.
   * @throws whatever the engine throws.
   */
  nearest(vector: Float32Array, { k, recall }: { k: number; recall: number }): EngineAnswer {
    const at = this.engine.nearest(vector, k, recall) / 8;
    // Growing memory detaches every earlier view of it, and leaves it empty.
    if (this.#numbers.length === 0) this.#numbers = new Float64Array(this.#memory.buffer);
    const read = (i: number) => this.#numbers[at + i] ?? 0;
    const n = read(0);
    const ordinals: number[] = [];
    const scores: number[] = [];
    for (let i = 3; i < 3 + n; i += 1) {
      ordinals.push(read(i));
      scores.push(read(i + n));
    }
    return {
      ordinals,
      scores,
      qualifying: read(1),
      basis: "similarity",
      requested: k,
      approximate: read(2) === 1 || undefined,
    };
  }

  /** Made anew at each use: growing memory detaches every earlier view of it. */
  #view(): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#address, this.lengthBytes);
  }
}

function notStarted(thrown: unknown, lengthBytes: number): NearfieldError {
  const typed = asNearfieldError(thrown);
  if (typed !== undefined) return typed;
  // `RangeError` is what engines throw when they cannot reserve a new instance's memory at all.
  if (thrown instanceof RangeError) {
    return new NearfieldError("E_MEMORY", "the host refused memory for a wasm instance", {
      needed_bytes: lengthBytes,
    }, { cause: thrown, retryable: true });
  }
  return new NearfieldError("E_ENGINE", "the wasm module did not start", {}, { cause: thrown });
}
