/** Bits of an H.264 or H.265 NAL unit: emulation prevention taken out, Exp-Golomb codes (H.264, 7.3.1 and 9.1). */

/** The unit's bytes [from, length) without emulation_prevention_three_byte. */
export function unescapeNal(nal: Uint8Array, from: number, length: number): Uint8Array {
  const out = new Uint8Array(Math.max(0, length - from));
  let size = 0;
  let zeros = 0;
  for (let at = from; at < length; at++) {
    const byte = nal[at]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[size++] = byte;
  }
  return out.subarray(0, size);
}

/** Reads bits, most significant first. Beyond the end it reads zeros and says so. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** More was read than there is. */
  get exhausted(): boolean {
    return this.#at > this.#bytes.length * 8;
  }

  /** The next `count` bits, at most 31. */
  u(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++, this.#at++) {
      value = (value << 1) | (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1);
    }
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  /** ue(v); NaN when it is longer than 31 bits, as no field read here is. */
  ue(): number {
    let zeros = 0;
    while (zeros < 32 && !this.exhausted && this.u(1) === 0) zeros++;
    if (zeros > 30 || this.exhausted) {
      this.#at = this.#bytes.length * 8 + 1;
      return Number.NaN;
    }
    return (1 << zeros) - 1 + this.u(zeros);
  }

  /** se(v) */
  se(): number {
    const code = this.ue();
    return code % 2 === 0 ? -code / 2 : (code + 1) / 2;
  }
}
