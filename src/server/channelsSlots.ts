/** How many streams are being worked on at once. One that takes long gives its slot away and goes on beside the others, so that a disk that stands holds nobody back. */
import type { Clock } from '../base/index.js';

/** Streams that are begun side by side. */
const SLOTS = 16;
/** A slot is held no longer than this. */
const HOLD_MS = 5000;

/** Runs pieces of work, so many at a time, in the order in which they came. */
export class Slots {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #free = SLOTS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers with what `work` answers with. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      timer.cancel();
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
    const timer = this.#clock.after(HOLD_MS, release);
    try {
      return await work();
    } finally {
      release();
    }
  }
}
