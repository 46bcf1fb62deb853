/**
 * Gives every unit of the track that decides a time stamp to judge it by: its own; where the encoder left it out, one
 * reckoned from those before; where time stamps do not come, stand still or cannot be read (scrambling), its arrival.
 */
import { ptsDelta, PTS_MODULUS, TICKS_PER_MS, TICKS_PER_SECOND } from '../model/index.js';
import type { AccessUnit } from './facts.js';

/** Time stamps that stay away for longer than this are not coming back soon: 13818-1, 2.7.4 wants one every 0.7 s. */
const TIMELESS_MS = 2000;
/** For so long they are reckoned. */
const RECKONED_90K = TICKS_PER_SECOND;

/** A unit with the time stamps to judge it by. */
export interface StampedUnit {
  readonly unit: AccessUnit;
  /** From here on time is told in another way than before: media time does not continue. */
  readonly switched: boolean;
}

/** The time stamps of one track. */
export class UnitTimes {
  #byArrival = false;
  #unitAtMs = 0;
  #lastDts90k: number | undefined;
  #lastPts90k: number | undefined;
  #unitsSince = 0;
  #perUnit90k: number | undefined;
  #sinceMs: number | undefined;

  /** Whether arrival stands in for time stamps. */
  get byArrival(): boolean {
    return this.#byArrival;
  }

  /** When the newest unit without a time stamp arrived; UTC milliseconds. */
  get unitAtMs(): number {
    return this.#unitAtMs;
  }

  /** Another track decides. */
  reset(): void {
    this.#byArrival = false;
    this.#lastDts90k = this.#lastPts90k = this.#perUnit90k = this.#sinceMs = undefined;
    this.#unitsSince = 0;
  }

  /** No unit came for so long that arrival has to do. */
  goByArrival(atMs: number): void {
    this.#byArrival = true;
    this.#unitAtMs = atMs;
  }

  /**
   * @param soundGoesOn - another track has time stamps: it will decide when this one stays without
   * @param reorder90k - PTS - DTS of this track's random access points
   * @returns undefined for a unit that says nothing about time
   */
  stamp(unit: AccessUnit, soundGoesOn: boolean, reorder90k: number): StampedUnit | undefined {
    if (!Number.isNaN(unit.pts90k) && unit.pts90k !== this.#lastPts90k) return this.#own(unit);
    if (this.#byArrival) {
      this.#unitAtMs = unit.arrivalMs;
      return { unit: atArrival(unit), switched: false };
    }
    this.#unitsSince += 1;
    this.#sinceMs ??= unit.arrivalMs;
    const sinceLast90k = this.#unitsSince * (this.#perUnit90k ?? Infinity);
    if (this.#lastDts90k !== undefined && sinceLast90k <= RECKONED_90K) {
      const dts90k = Math.round(this.#lastDts90k + sinceLast90k) % PTS_MODULUS;
      const pts90k = unit.randomAccess ? (dts90k + reorder90k) % PTS_MODULUS : dts90k;
      return { unit: { ...unit, dts90k, pts90k, reckoned: true }, switched: false };
    }
    if (soundGoesOn || unit.arrivalMs - this.#sinceMs <= TIMELESS_MS) return undefined;
    this.goByArrival(unit.arrivalMs);
    return { unit: atArrival(unit), switched: true };
  }

  #own(unit: AccessUnit): StampedUnit {
    if (this.#lastDts90k !== undefined) {
      const step90k = ptsDelta(this.#lastDts90k, unit.dts90k);
      if (step90k > 0 && step90k <= RECKONED_90K) this.#perUnit90k = step90k / (this.#unitsSince + 1);
    }
    this.#lastDts90k = unit.dts90k;
    this.#lastPts90k = unit.pts90k;
    this.#unitsSince = 0;
    this.#sinceMs = undefined;
    const switched = this.#byArrival;
    this.#byArrival = false;
    return { unit, switched };
  }
}

/** A moment of arrival as raw 33-bit ticks. */
export function arrival90k(arrivalMs: number): number {
  return Math.round(arrivalMs * TICKS_PER_MS) % PTS_MODULUS;
}

/** The unit with its arrival for a time stamp. */
export function atArrival(unit: AccessUnit): AccessUnit {
  const ticks = arrival90k(unit.arrivalMs);
  return { ...unit, pts90k: ticks, dts90k: ticks, reckoned: true };
}
