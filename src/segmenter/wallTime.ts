/**
 * From media time to wall time: the anchor of a run, its slow correction towards the arrival clock, gaps
 * between runs, and the parting of the clocks. docs/design/time.md states the rules.
 */
import { ticksToMs } from '../model/index.js';

/** How fast recorded time is moved towards arrival time at the most. */
const SLEW = 0.0005;
/** Differences below this are noise of the transport. */
const SLEW_FROM_MS = 20;
/** Differences above this are not drift; nothing is gained by following them. */
const SLEW_UNTIL_MS = 60_000;
/** A new run that would begin this close to the end of the last begins exactly there. */
const SNAP_MS = 100;
/** A run whose media time agrees with the last run's anchor to this keeps that anchor. */
const SAME_CLOCK_MS = 40;
/** A loss longer than this is a gap. */
const GAP_MS = 1000;
/** Clocks that differ by more than this … */
const PARTED_MS = 1000;
/** … for longer than this have parted. */
const PARTED_FOR_MS = 10_000;

/** Where a segment lies in wall time. */
export interface WallSpan {
  readonly wallMs: number;
  /** Where the gap before it began, when there is one. */
  readonly gapFromMs: number | undefined;
}

/** The wall time of one stream's media. Anchors are wall milliseconds at media time zero. */
export class WallTime {
  #anchorMs: number | undefined;
  #least = Infinity;
  #firstOfRun = true;
  #lastEndMs: number | undefined;
  #aheadSinceMs: number | undefined;
  #behindMs = 0;

  /** @param lastEndMs - where what is recorded already ends; no run begins before it */
  constructor(lastEndMs: number | undefined) {
    this.#lastEndMs = lastEndMs;
  }

  /** Where the newest ended segment ends; UTC milliseconds. */
  get lastEndMs(): number | undefined {
    return this.#lastEndMs;
  }

  /** By how much recorded time is ahead of the clock, when by more than a second; else 0. */
  get clockBehindMs(): number {
    return this.#behindMs;
  }

  /** What follows has an anchor of its own. */
  beginRun(): void {
    this.#firstOfRun = true;
    this.#least = Infinity;
    this.#aheadSinceMs = undefined;
  }

  /**
   * Takes the arrival of an access unit whose frame begins at `media90k` (unwrapped).
   * @returns true when the wall clock has gone ahead for so long that the run has to end
   */
  observe(arrivalMs: number, media90k: number, monotonicMs: number): boolean {
    const anchorMs = arrivalMs - ticksToMs(media90k);
    if (anchorMs < this.#least) this.#least = anchorMs;
    if (this.#firstOfRun || this.#anchorMs === undefined) return false;
    const offMs = anchorMs - this.#anchorMs;
    this.#behindMs = offMs < -PARTED_MS ? -offMs : 0;
    if (offMs <= PARTED_MS) {
      this.#aheadSinceMs = undefined;
      return false;
    }
    this.#aheadSinceMs ??= monotonicMs;
    return monotonicMs - this.#aheadSinceMs > PARTED_FOR_MS;
  }

  /** Wall time of `media90k` as far as it is known now; UTC milliseconds. */
  at(media90k: number): number {
    const anchorMs = this.#firstOfRun && Number.isFinite(this.#least) ? this.#least : (this.#anchorMs ?? 0);
    const wallMs = anchorMs + ticksToMs(media90k);
    return this.#firstOfRun && this.#lastEndMs !== undefined ? Math.max(wallMs, this.#lastEndMs) : wallMs;
  }

  /** Settles the wall time of a segment of media time [start90k, end90k) that has ended. */
  settle(start90k: number, end90k: number): WallSpan {
    let gapFromMs: number | undefined;
    let anchorMs = this.#anchorMs;
    if (this.#firstOfRun || anchorMs === undefined) {
      const keep = anchorMs !== undefined && Math.abs(this.#least - anchorMs) <= SAME_CLOCK_MS;
      if (!keep || anchorMs === undefined) anchorMs = this.#least;
      const startMs = anchorMs + ticksToMs(start90k);
      if (this.#lastEndMs !== undefined) {
        if (startMs < this.#lastEndMs + SNAP_MS) anchorMs = this.#lastEndMs - ticksToMs(start90k);
        else if (startMs - this.#lastEndMs > GAP_MS) gapFromMs = this.#lastEndMs;
      }
    }
    const wallMs = anchorMs + ticksToMs(start90k);
    this.#lastEndMs = anchorMs + ticksToMs(end90k);
    this.#anchorMs = anchorMs + this.#slew(anchorMs, ticksToMs(end90k - start90k));
    this.#firstOfRun = false;
    this.#least = Infinity;
    return { wallMs, gapFromMs };
  }

  #slew(anchorMs: number, durationMs: number): number {
    const offMs = this.#least - anchorMs;
    if (!(Math.abs(offMs) > SLEW_FROM_MS && Math.abs(offMs) < SLEW_UNTIL_MS)) return 0;
    const most = durationMs * SLEW;
    return Math.max(-most, Math.min(most, offMs));
  }
}
