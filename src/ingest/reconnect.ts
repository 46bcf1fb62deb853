/**
 * When to try again: capped exponential backoff with jitter (so that a hundred streams of one origin do not come back at once), which
 * starts anew after a connection has delivered for some seconds. The one place for it; udp, tcp and http use it.
 */
import type { Clock, Timer } from '../base/index.js';

/** The first delay at most. */
export const BACKOFF_START_MS = 250;
/** Every delay at most. */
export const BACKOFF_CAP_MS = 10_000;
/** A connection that has delivered for so long was good: the next failure is the first again. */
export const STABLE_AFTER_MS = 5_000;

/** Runs attempts, one after another, until stopped. */
export class Reconnect {
  readonly #clock: Clock;
  readonly #attempt: () => void;
  readonly #random: () => number;
  #failures = 0;
  #flowingSinceMs: number | undefined;
  #timer: Timer | undefined;

  /** @param random - in [0, 1), for the jitter */
  constructor(clock: Clock, attempt: () => void, random: () => number = Math.random) {
    this.#clock = clock;
    this.#attempt = attempt;
    this.#random = random;
  }

  /** Bytes came over the connection that is open. */
  flowing(): void {
    this.#flowingSinceMs ??= this.#clock.monotonicMs();
  }

  /** The attempt failed or its connection is gone: the next begins after the delay that is returned, milliseconds. */
  retry(): number {
    if (this.#flowingSinceMs !== undefined && this.#clock.monotonicMs() - this.#flowingSinceMs >= STABLE_AFTER_MS) this.#failures = 0;
    this.#flowingSinceMs = undefined;
    const ceilingMs = Math.min(BACKOFF_CAP_MS, BACKOFF_START_MS * 2 ** this.#failures);
    this.#failures += 1;
    const delayMs = ceilingMs * (0.5 + this.#random() / 2);
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delayMs, this.#attempt);
    return delayMs;
  }

  /** No attempt begins any more. */
  stop(): void {
    this.#timer?.cancel();
  }
}
