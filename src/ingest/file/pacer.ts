/**
 * When each packet of a file is due, by the file's own clock: the program clock reference (ISO/IEC 13818-1, 2.4.2.1: when a byte enters the
 * decoder, which is when a live sender sends it) of the first PID that has one; until there is one, the DTS of the first PID that has that.
 */
import { ptsDelta } from '../../model/index.js';
import { PCR_HZ, readPcr, readPesTimes, readPid } from '../../mpegts/index.js';

/** A step of the clock beyond this, in either direction, is a jump in the file and takes no time; 90 kHz ticks. */
const JUMP_90K = 5 * 90_000;
const PCR_PER_TICK = PCR_HZ / 90_000;

/** The media clock of a file being played. */
export class Pacer {
  #clockPid = -1;
  #isPcr = false;
  #last90k = Number.NaN;
  #elapsed90k = 0;

  /** Whether there was any clock so far. */
  get hasClock(): boolean {
    return this.#clockPid >= 0;
  }

  /**
   * How long after the first clock value the packet at `at` is due, milliseconds; undefined where it says nothing new.
   * To be called with every packet, in order.
   */
  dueMs(bytes: Uint8Array, at: number): number | undefined {
    const now90k = this.#read(bytes, at);
    if (Number.isNaN(now90k)) return undefined;
    // 33 bits for both clocks: the base of a PCR wraps as time stamps do
    const step = Number.isNaN(this.#last90k) ? 0 : ptsDelta(this.#last90k, now90k);
    this.#last90k = now90k;
    if (Math.abs(step) <= JUMP_90K) this.#elapsed90k += step;
    return this.#elapsed90k / 90;
  }

  #read(bytes: Uint8Array, at: number): number {
    const pcr = readPcr(bytes, at);
    if (!Number.isNaN(pcr)) {
      const pid = readPid(bytes, at);
      if (!this.#isPcr) {
        this.#isPcr = true;
        this.#clockPid = pid;
        this.#last90k = Number.NaN;
      }
      return pid === this.#clockPid ? pcr / PCR_PER_TICK : Number.NaN;
    }
    if (this.#isPcr) return Number.NaN;
    const pid = readPid(bytes, at);
    if (this.#clockPid >= 0 && pid !== this.#clockPid) return Number.NaN;
    const dts90k = readPesTimes(bytes, at)?.dts90k ?? Number.NaN;
    if (!Number.isNaN(dts90k)) this.#clockPid = pid;
    return dts90k;
  }
}
