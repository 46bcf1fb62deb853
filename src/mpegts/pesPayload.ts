/** The elementary stream's bytes out of the packets of one PID (ISO/IEC 13818-1, 2.4.3.3 and 2.4.3.6): PES headers are left out, duplicates too. */
import { PACKET_SIZE, hasPayload, payloadStart, readCounter, startsUnit } from './packet.js';

/** A PES header up to PES_header_data_length. */
const FIXED_HEADER_BYTES = 9;

/** Takes packets, hands on payload. */
export class PesPayload {
  readonly #consume: (bytes: Uint8Array, from: number, to: number) => void;
  readonly #header = new Uint8Array(FIXED_HEADER_BYTES);
  /** Bytes of the header that are there. */
  #have = 0;
  /** Bytes of the header's rest that are to come. */
  #skip = 0;
  /** No PES packet began yet that can be read. */
  #outside = true;
  #counter = -1;

  /** @param consume - is given bytes [from, to), good during the call */
  constructor(consume: (bytes: Uint8Array, from: number, to: number) => void) {
    this.#consume = consume;
  }

  /** What comes next does not follow what came. */
  reset(): void {
    this.#outside = true;
    this.#counter = -1;
  }

  /** Takes the packet at `bytes[at]`. Scrambled ones are left out. */
  packet(bytes: Uint8Array, at: number): void {
    if (!hasPayload(bytes, at) || bytes[at + 3]! >> 6 !== 0) return;
    const counter = readCounter(bytes, at);
    if (counter === this.#counter) return;
    this.#counter = counter;
    let from = payloadStart(bytes, at);
    const to = at + PACKET_SIZE;
    if (startsUnit(bytes, at)) {
      this.#have = this.#skip = 0;
      this.#outside = false;
    }
    if (this.#outside) return;
    while (this.#have < FIXED_HEADER_BYTES && from < to) this.#header[this.#have++] = bytes[from++]!;
    if (this.#have < FIXED_HEADER_BYTES) return;
    if (this.#have === FIXED_HEADER_BYTES) {
      this.#have += 1;
      this.#skip = this.#header[8]!;
      const isPes = this.#header[0] === 0 && this.#header[1] === 0 && this.#header[2] === 1 && this.#header[6]! >> 6 === 2;
      this.#outside = !isPes || (this.#header[6]! & 0x30) !== 0;
      if (this.#outside) return;
    }
    const skip = Math.min(this.#skip, to - from);
    this.#skip -= skip;
    if (from + skip < to) this.#consume(bytes, from + skip, to);
  }
}
