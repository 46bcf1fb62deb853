/**
 * Where the segment that is being received is remembered for those who come to watch: pieces of memory that all recordings of a service share and use
 * again, within one bound.
 */
import { PACKET_SIZE } from '../mpegts/index.js';

/** Memory is taken in pieces of this size: whole packets. */
const PIECE_BYTES = 1394 * PACKET_SIZE;
/** What all recordings of a service remember at most, 128 MB: a hundred of 5 Mbps, which are half a segment of 4 s on average. One that finds no room is not remembered. */
const MAX_PIECES = 512;
/** Pieces kept for later; more are left to the garbage collector. */
const MAX_FREE = 64;
/** Of a segment that gets longer nothing is remembered. */
const REMEMBERED_MAX_BYTES = 16 * 1024 * 1024;

/** The pieces of all recordings. */
export class LivePool {
  readonly #maxPieces: number;
  readonly #free: Uint8Array[] = [];
  #used = 0;

  /** @param maxPieces - of 256 KiB */
  constructor(maxPieces = MAX_PIECES) {
    this.#maxPieces = maxPieces;
  }

  /** Undefined when all are in use. */
  take(): Uint8Array | undefined {
    if (this.#used === this.#maxPieces) return undefined;
    this.#used += 1;
    return this.#free.pop() ?? new Uint8Array(PIECE_BYTES);
  }

  give(pieces: readonly Uint8Array[]): void {
    this.#used -= pieces.length;
    this.#free.push(...pieces.slice(0, MAX_FREE - this.#free.length));
  }
}

/** Copies of the bytes of one segment after another. */
export class SegmentMemory {
  readonly #pool: LivePool;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  constructor(pool: LivePool) {
    this.#pool = pool;
  }

  /** False when there is no room for all of it. */
  add(bytes: Uint8Array): boolean {
    if (this.#sizeBytes + bytes.length > REMEMBERED_MAX_BYTES) return false;
    for (let from = 0; from < bytes.length;) {
      const at = this.#sizeBytes % PIECE_BYTES;
      const piece = at === 0 ? this.#pool.take() : this.#pieces.at(-1);
      if (piece === undefined) return false;
      if (at === 0) this.#pieces.push(piece);
      const take = Math.min(bytes.length - from, PIECE_BYTES - at);
      piece.set(bytes.subarray(from, from + take), at);
      this.#sizeBytes += take;
      from += take;
    }
    return true;
  }

  /** What was added, in whole packets. */
  *chunks(): Iterable<Uint8Array> {
    for (const [i, piece] of this.#pieces.entries()) yield piece.subarray(0, this.#sizeBytes - i * PIECE_BYTES);
  }

  clear(): void {
    this.#pool.give(this.#pieces);
    this.#pieces = [];
    this.#sizeBytes = 0;
  }
}
