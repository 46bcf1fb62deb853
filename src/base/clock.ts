/**
 * Time, injected. Every room that needs the time or a timer takes a {@link Clock}, so that a test can
 * run a day in a millisecond and a wrong system clock can be played. `Date.now`, `performance.now` and
 * `setTimeout` are used here and nowhere else (a lint rule says so).
 */

/** A timer that was set; `cancel()` may be called any number of times, also after it fired. */
export interface Timer {
  cancel(): void;
}

/** Wall time, monotonic time and timers. */
export interface Clock {
  /** UTC, milliseconds since 1970, as the system has it; may step in either direction. */
  nowMs(): number;
  /** Milliseconds since some moment, with a fraction; never goes back and knows no steps. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs` of monotonic time. The timer keeps the process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Calls `run` every `periodMs` until cancelled. The timer does not keep the process alive. */
  every(periodMs: number, run: () => void): Timer;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  every(periodMs, run) {
    const handle = setInterval(run, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** A promise that is kept after `delayMs`, or at once when `signal` is aborted. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish);
  });
}
