/**
 * What waits for a paused subscriber: copies of chunks and the marks between them, in order, bounded in bytes.
 * What does not fit is dropped as a whole chunk, and an `overflow` mark with the sum stands where it was.
 */
import type { Mark } from './mark.js';

/**
 * Chunks that may wait, whatever their size: a source that sends single bytes would otherwise use a hundred times the bound in
 * bookkeeping. Enough for 32 MiB in datagrams of 188 bytes. Beyond it chunks are dropped as at the bound in bytes.
 */
export const MAX_QUEUED_CHUNKS = 200_000;

/** A chunk or a mark, with the wall time at which it came; UTC milliseconds. */
export type QueueItem =
  | { readonly chunk: Uint8Array; readonly mark?: undefined; readonly arrivalMs: number }
  | { readonly mark: Mark; readonly chunk?: undefined; readonly arrivalMs: number };

/** A bounded first-in, first-out queue of chunks and marks. */
export class BoundedQueue {
  readonly #maxBytes: number;
  #items: (QueueItem | undefined)[] = [];
  #head = 0;
  #bytes = 0;
  #chunks = 0;
  #droppedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that did not fit, ever. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  /** Copies a chunk in when no bytes wait or it fits; else drops it, counts it and marks the place. */
  pushChunk(chunk: Uint8Array, arrivalMs: number): void {
    const fits = this.#bytes + chunk.length <= this.#maxBytes && this.#chunks < MAX_QUEUED_CHUNKS;
    if (this.#chunks > 0 && !fits) {
      this.#droppedBytes += chunk.length;
      this.pushMark({ kind: 'overflow', droppedBytes: chunk.length }, arrivalMs);
      return;
    }
    // Uint8Array, not Buffer: Buffer.prototype.slice is a view
    this.#items.push({ chunk: new Uint8Array(chunk), arrivalMs });
    this.#bytes += chunk.length;
    this.#chunks += 1;
  }

  /**
   * Adds a mark. Between two chunks the latest of each kind is kept (a source that fails to connect for a week says `lost` often),
   * so marks are bounded by the chunks; overflows add up.
   */
  pushMark(mark: Mark, arrivalMs: number): void {
    for (let at = this.#items.length - 1; at >= this.#head; at--) {
      const item = this.#items[at];
      if (item?.mark === undefined) break;
      if (item.mark.kind !== mark.kind) continue;
      if (item.mark.kind === 'overflow' && mark.kind === 'overflow') {
        this.#items[at] = {
          mark: { kind: 'overflow', droppedBytes: item.mark.droppedBytes + mark.droppedBytes },
          arrivalMs: item.arrivalMs,
        };
        return;
      }
      this.#items.splice(at, 1);
      break;
    }
    this.#items.push({ mark, arrivalMs });
  }

  /** Takes the oldest item out; undefined when there is none. */
  shift(): QueueItem | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (item.chunk) {
      this.#bytes -= item.chunk.length;
      this.#chunks -= 1;
    }
    if (this.#head === this.#items.length || this.#head * 2 >= this.#items.length + 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Forgets what waits. */
  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#chunks = 0;
  }
}
