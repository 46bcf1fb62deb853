/** Tells when nothing came for a while, with one timer and no work per chunk but a reading of the clock. */
import type { Clock, Timer } from '../base/index.js';

/** A limit of silence. It fires once; `start` sets it again. */
export class SilenceTimer {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #timer: Timer | undefined;
  #lastMs = 0;

  constructor(clock: Clock, limitMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
  }

  /** Silence is counted from now. */
  start(): void {
    this.touch();
    this.#arm(this.#limitMs);
  }

  /** Something came. */
  touch(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(delayMs, () => {
      const leftMs = this.#lastMs + this.#limitMs - this.#clock.monotonicMs();
      if (leftMs > 0) this.#arm(leftMs);
      else this.#onSilence();
    });
  }
}
