/** Measures answers and shows the last one, so that "at once" can be checked by eye. */
export class Meter {
  readonly #output: HTMLElement;

  /** @param output - Where the time of the last answer is shown. */
  constructor(output: HTMLElement) {
    this.#output = output;
  }

  /** Runs a call, shows how long it took, and returns its answer. */
  time<T>(call: () => T): T {
    const start = performance.now();
    const answer = call();
    const ms = performance.now() - start;
    // Browsers round the clock to 0.1 ms, or coarser; below that a number would be invented.
    this.#output.textContent = ms < 0.1 ? "under 0.1 ms" : `${ms.toFixed(1)} ms`;
    return answer;
  }
}

/** A number of bytes for people, in powers of 1,000. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(0)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
