/**
 * A clock that stands still until it is moved: for tests, and for reading recorded input at its own
 * pace. Timers fire in the order of their due times while {@link ManualClock.advance} moves over them.
 */
import type { Clock, Timer } from './clock.js';

interface Due {
  atMs: number;
  order: number;
  periodMs: number | undefined;
  run: () => void;
}

/** A {@link Clock} whose time is set by its owner. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #due = new Set<Due>();

  /** @param wallMs - the wall time it starts at, UTC milliseconds */
  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#add(delayMs, undefined, run);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add(periodMs, periodMs, run);
  }

  /** Moves both times on by `byMs`, firing on the way what falls due. */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs;
    for (;;) {
      let next: Due | undefined;
      for (const due of this.#due) {
        if (due.atMs > untilMs) continue;
        if (!next || due.atMs < next.atMs || (due.atMs === next.atMs && due.order < next.order)) next = due;
      }
      if (!next) break;
      this.#moveTo(Math.max(next.atMs, this.#monotonicMs));
      if (next.periodMs === undefined) this.#due.delete(next);
      else next.atMs += next.periodMs;
      next.run();
    }
    this.#moveTo(untilMs);
  }

  /** Steps the wall time alone, as a clock that is set does. */
  stepWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }

  #add(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const due: Due = { atMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, periodMs, run };
    this.#due.add(due);
    return { cancel: () => this.#due.delete(due) };
  }
}
