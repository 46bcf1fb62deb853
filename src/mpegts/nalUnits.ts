/** The units of an elementary stream between start codes (H.264 and H.265, annex B), each whole: for what has to keep them, unlike accessUnit.ts, which looks at their beginnings. */

/** What a splitter starts with; it grows with the units. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Who takes the units. */
export interface NalUnitSink {
  /** Whether a unit that begins with this byte is to be kept together. */
  wants(header: number): boolean;
  /** A whole unit, header included: a copy. */
  unit(unit: Uint8Array): void;
  /** One is longer than the limit, and was dropped. */
  tooLong(): void;
}

/** Takes an elementary stream apart. */
export class NalUnitSplitter {
  readonly #sink: NalUnitSink;
  readonly #maxUnitBytes: number;
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #length = 0;
  #zeros = 0;
  #state: 'outside' | 'header' | 'inside' = 'outside';

  constructor(sink: NalUnitSink, maxUnitBytes: number) {
    this.#sink = sink;
    this.#maxUnitBytes = maxUnitBytes;
  }

  /** Forgets the unit under way. */
  reset(): void {
    this.#state = 'outside';
    this.#length = this.#zeros = 0;
  }

  /** Takes bytes [from, to). */
  push(bytes: Uint8Array, from: number, to: number): void {
    let zeros = this.#zeros;
    let copied = from;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte === 1 && zeros >= 2) {
        this.#append(bytes, copied, at);
        this.end();
        this.#state = 'header';
        zeros = 0;
        copied = at + 1;
        continue;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      if (this.#state === 'header') {
        this.#state = this.#sink.wants(byte) ? 'inside' : 'outside';
        copied = at;
      }
    }
    this.#append(bytes, copied, to);
    this.#zeros = zeros;
  }

  /** The unit under way is complete. */
  end(): void {
    if (this.#state !== 'inside') return;
    // zeros in front of a start code are not the unit's own (B.1.1)
    let length = this.#length;
    while (length > 0 && this.#buffer[length - 1] === 0) length--;
    this.reset();
    if (length > 0) this.#sink.unit(this.#buffer.slice(0, length));
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    if (this.#state !== 'inside') return;
    const length = this.#length + to - from;
    if (length > this.#maxUnitBytes) {
      this.#state = 'outside';
      this.#length = 0;
      this.#sink.tooLong();
      return;
    }
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes.subarray(from, to), this.#length);
    this.#length = length;
  }
}
