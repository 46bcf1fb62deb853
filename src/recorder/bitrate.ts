/** Bits per second over the last seconds, from a count of bytes that is looked at now and then. */

/** Over so long. */
const WINDOW_MS = 5000;

/** One stream's rate. */
export class BitrateMeter {
  readonly #looks: { readonly atMs: number; readonly bytes: number }[] = [];

  /** So many bytes had come by `atMs` (monotonic). */
  look(atMs: number, bytes: number): void {
    this.#looks.push({ atMs, bytes });
    while ((this.#looks[1]?.atMs ?? Infinity) <= atMs - WINDOW_MS) this.#looks.shift();
  }

  /** Between the first and the last look of the window; 0 before there are two. */
  get bitsPerSecond(): number {
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0;
    return ((last.bytes - first.bytes) * 8000) / (last.atMs - first.atMs);
  }
}
