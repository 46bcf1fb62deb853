/**
 * Frames on a recorder's socket (docs/design/server.md, R2): four bytes of length (big-endian, the kind counted), one byte of kind, the payload.
 * The same on both kinds of connection: messages on the controlling one, live media on those of R7.
 */
import { LivetapeError } from '../../base/index.js';

/** What a frame holds. */
export const FRAME = {
  /** A value of values.ts. */
  message: 0,
  /** A segment of the live stream begins; the payload is one byte: whether at a keyframe. */
  segment: 1,
  /** Its packets. */
  data: 2,
} as const;

/** A longer one is not of ours. The heartbeat of a thousand streams is some megabytes. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

const HEAD_BYTES = 5;

/** A frame's bytes; `payload` is copied. */
export function frameOf(kind: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length + 1, 0);
  bytes[4] = kind;
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** Takes frames out of what comes over a socket, however it was cut. */
export class FrameReader {
  readonly #onFrame: (kind: number, payload: Uint8Array) => void;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  #payload: Uint8Array | undefined;
  #payloadBytes = 0;

  /** @param onFrame - the payload is good during the call only */
  constructor(onFrame: (kind: number, payload: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /**
   * Takes what came.
   * @throws LivetapeError INVARIANT_BROKEN when it is no frame; what `onFrame` throws
   */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payload === undefined) {
        const count = Math.min(HEAD_BYTES - this.#headBytes, chunk.length - at);
        this.#head.set(chunk.subarray(at, at + count), this.#headBytes);
        this.#headBytes += count;
        at += count;
        if (this.#headBytes < HEAD_BYTES) return;
        const length = this.#head.readUInt32BE(0) - 1;
        if (length < 0 || length > MAX_FRAME_BYTES)
          throw new LivetapeError('INVARIANT_BROKEN', `a frame of ${length} bytes came from a recorder's socket`);
        if (chunk.length - at >= length) {
          this.#deliver(chunk.subarray(at, at + length));
          at += length;
          continue;
        }
        this.#payload = new Uint8Array(length);
        this.#payloadBytes = 0;
      }
      const payload = this.#payload;
      const count = Math.min(payload.length - this.#payloadBytes, chunk.length - at);
      payload.set(chunk.subarray(at, at + count), this.#payloadBytes);
      this.#payloadBytes += count;
      at += count;
      if (this.#payloadBytes < payload.length) return;
      this.#payload = undefined;
      this.#deliver(payload);
    }
  }

  #deliver(payload: Uint8Array): void {
    this.#headBytes = 0;
    this.#onFrame(this.#head[4] ?? 0, payload);
  }
}
