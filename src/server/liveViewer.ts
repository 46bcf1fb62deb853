/** One who watches a stream as continuous TS: what is due to him, and what becomes of it when he falls behind (docs/design/server.md, H6). */
import { PACKET_SIZE } from '../mpegts/index.js';

/** A viewer that is further behind goes on at the next segment; bytes. */
export const MAX_BEHIND_BYTES = 8 * 1024 * 1024;
/** Who has waited for a keyframe through so many beginnings goes on without: sound whose video never comes is worth hearing. */
const MAX_BEGINNINGS_WITHOUT = 3;
/** What is handed out at a time, so that a slow client is seen to take something: whole packets, so that what follows a skip is found at once; bytes. */
const PIECE_BYTES = 348 * PACKET_SIZE;

/** The bytes due to one viewer. To be read by one reader. */
export class LiveViewer implements AsyncIterableIterator<Uint8Array> {
  readonly #left: (viewer: LiveViewer) => void;
  #due: Uint8Array[] = [];
  #dueBytes = 0;
  /** Of what is due, what was there when he came: it may be more than one may be behind. */
  #givenBytes = 0;
  /** Until a segment begins with a keyframe, nothing is for him. */
  #waiting = true;
  /** Segments that began without one while he waited. */
  #passed = 0;
  #ended = false;
  #skips = 0;
  #wake: (() => void) | undefined;

  /** @param left - called once, when he is gone */
  constructor(left: (viewer: LiveViewer) => void) {
    this.#left = left;
  }

  /** How often he fell behind. */
  get skips(): number {
    return this.#skips;
  }

  /** Gives him the segment that is being received, so far, unless he was there when it began. */
  join(held: readonly Uint8Array[]): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    for (const chunk of held) this.#add(chunk);
    this.#givenBytes = this.#dueBytes;
  }

  /** A segment begins. */
  segment(keyframe: boolean): void {
    if (!this.#waiting) return;
    this.#passed += 1;
    if (!keyframe && this.#passed < MAX_BEGINNINGS_WITHOUT) return;
    this.#waiting = false;
    this.#passed = 0;
  }

  /** More of the stream; shared by all viewers, and never changed. */
  data(chunk: Uint8Array): void {
    if (this.#waiting || this.#ended) return;
    if (this.#dueBytes + chunk.length > MAX_BEHIND_BYTES + this.#givenBytes) {
      this.#due = [];
      this.#dueBytes = 0;
      this.#givenBytes = 0;
      this.#waiting = true;
      this.#skips += 1;
      return;
    }
    this.#add(chunk);
  }

  /** Nothing more comes; what is due is still handed out. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const chunk = this.#due[0];
      if (chunk) {
        const piece = chunk.subarray(0, PIECE_BYTES);
        if (piece.length === chunk.length) this.#due.shift();
        else this.#due[0] = chunk.subarray(PIECE_BYTES);
        this.#dueBytes -= piece.length;
        this.#givenBytes = Math.max(0, this.#givenBytes - piece.length);
        return { done: false, value: piece };
      }
      if (this.#ended) {
        this.#left(this);
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** He is gone. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#due = [];
    this.#dueBytes = 0;
    this.end();
    this.#left(this);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(chunk: Uint8Array): void {
    this.#due.push(chunk);
    this.#dueBytes += chunk.length;
    this.#wake?.();
  }
}
