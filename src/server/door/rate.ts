/**
 * How often something happens, by who does it: a bucket that leaks at a rate and overflows beyond a burst, told by one number for each (GCRA: the moment at which
 * it will be empty again). Synchronous and within a bound, since it is asked before anything else is known of who asks.
 */
import type { Clock } from '../../base/index.js';

/** Buckets that are remembered: 100,000 addresses are about 15 MB. Beyond it the one that was counted longest ago is forgotten. */
const MAX_KEYS = 100_000;

/** How much is too much. */
export interface Rate {
  /** So many … */
  readonly count: number;
  /** … in so long; milliseconds. As many may come at once. */
  readonly periodMs: number;
}

/** Rates of many. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #rate: () => Rate;
  readonly #maxKeys: number;
  /** When each bucket is empty; in the order in which they were counted last. */
  readonly #emptyAtMs = new Map<string, number>();

  /** @param rate - asked each time, so that a change holds at once */
  constructor(clock: Clock, rate: () => Rate, maxKeys = MAX_KEYS) {
    this.#clock = clock;
    this.#rate = rate;
    this.#maxKeys = maxKeys;
  }

  /** Counts one. False when it is beyond the limit; then it is not counted, so that whoever goes on gets his share. */
  count(key: string): boolean {
    const { count, periodMs } = this.#rate();
    const nowMs = this.#clock.monotonicMs();
    this.#forget(nowMs);
    const emptyAtMs = Math.max(nowMs, this.#emptyAtMs.get(key) ?? nowMs) + periodMs / count;
    // half a nanosecond for what fractions lose
    if (emptyAtMs - nowMs > periodMs + 5e-7) return false;
    this.#emptyAtMs.delete(key);
    this.#emptyAtMs.set(key, emptyAtMs);
    return true;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#emptyAtMs.size;
  }

  /** An empty bucket is as none; each count looks at the two that were counted longest ago, so that the memory falls again. */
  #forget(nowMs: number): void {
    let looked = 0;
    for (const [key, emptyAtMs] of this.#emptyAtMs) {
      if (emptyAtMs > nowMs && this.#emptyAtMs.size < this.#maxKeys) return;
      this.#emptyAtMs.delete(key);
      if (++looked === 2) return;
    }
  }
}
