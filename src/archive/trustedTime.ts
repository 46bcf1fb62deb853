/**
 * The time by which the age of a segment is judged (K10). A clock that is wrong must not empty an archive: what it steps by is measured
 * against monotonic time, only a small step is believed at once, and a large one that stands is followed so slowly that somebody can notice.
 */
import type { Clock } from '../base/index.js';
import type { Gap } from '../model/index.js';

const HOUR_MS = 3_600_000;
/** All steps together that are believed at once: at most so much … */
const MAX_STEP_MS = HOUR_MS;
/** … and this part of what is kept. */
const STEP_OF_RETENTION = 1 / 10;
/** What a clock may drift or be slewed by without that being a step; kernels slew by half of it. */
const SLEW = 0.001;
/** A larger step is to stand for so long … */
const CONFIRM_MS = HOUR_MS;
/** … and then trusted time goes this many times as fast until it is there. */
const CATCH_UP = 24;
/** A leap of the clock that is told of in the newest stretch of the archive, so long, was not confirmed before a restart. */
const RECENT_LEAP_MS = 24 * HOUR_MS;
/** Recorded time that is further ahead of the clock was labelled by a wrong one, or the clock is wrong now. */
const MAX_AHEAD_MS = HOUR_MS;

/** What is seen at one look. */
export interface TimeSight {
  /** End of the archive's newest segment; UTC milliseconds. Undefined in an empty archive. */
  readonly newestEndMs: number | undefined;
  /** Whether media comes: then recorded time is a clock of its own, and the earlier of the two counts. */
  readonly mediaComes: boolean;
  /** What is kept by age; 0 where all is. */
  readonly retentionMs: number;
  /** The archive's gaps: a clock that leapt shortly before the first look is doubted still. */
  readonly gaps?: readonly Gap[];
}

/** Why trusted time is not simply the clock: a step that is not believed (yet), or recorded time that is ahead of the clock. */
export type ClockDoubt = 'step' | 'ahead';

/** A step that is not believed yet. */
interface Suspect {
  /** What the clock was ahead of monotonic time. */
  readonly offsetMs: number;
  readonly sinceMs: number;
}

/** Trusted time at a look, the monotonic time of it, and what the clock is ahead of monotonic time where no step is believed. */
interface Known {
  readonly valueMs: number;
  readonly atMs: number;
  readonly baseMs: number;
}

/** Trusted time of one archive. Looked at now and then; nothing runs in between. */
export class TrustedTime {
  readonly #clock: Clock;
  #known: Known | undefined;
  #suspect: Suspect | undefined;
  #ahead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What is wrong with the clock, as of the last look. */
  get doubt(): ClockDoubt | undefined {
    if (this.#suspect !== undefined) return 'step';
    return this.#ahead ? 'ahead' : undefined;
  }

  /** Trusted time now; UTC milliseconds. Never later than the clock. */
  look({ newestEndMs = Infinity, mediaComes, retentionMs, gaps = [] }: TimeSight): number {
    const nowMs = this.#clock.nowMs();
    const atMs = this.#clock.monotonicMs();
    this.#ahead = Number.isFinite(newestEndMs) && newestEndMs - nowMs > MAX_AHEAD_MS;
    if (this.#known === undefined) {
      // The first look goes on from what is recorded, for downtime and a clock set wrong look the same from here; or from an earlier clock,
      // since what is recorded may have been labelled by a wrong one.
      const valueMs = Math.min(nowMs, newestEndMs - leaptMs(gaps, newestEndMs));
      this.#known = { valueMs, atMs, baseMs: valueMs - atMs };
    }
    const maxStepMs = retentionMs > 0 ? Math.min(MAX_STEP_MS, retentionMs * STEP_OF_RETENTION) : MAX_STEP_MS;
    const valueMs = this.#judge(this.#known, nowMs, atMs, maxStepMs);
    return Math.min(valueMs, nowMs, mediaComes ? newestEndMs : Infinity);
  }

  #judge(known: Known, nowMs: number, atMs: number, maxStepMs: number): number {
    const passedMs = atMs - known.atMs;
    const slewMs = SLEW * passedMs;
    const offsetMs = nowMs - atMs;
    // Steps add up, since only slewing moves what they are measured from.
    const baseMs = towards(known.baseMs, offsetMs, slewMs);
    if (Math.abs(offsetMs - baseMs) <= maxStepMs) {
      this.#suspect = undefined;
      this.#known = { valueMs: nowMs, atMs, baseMs };
      return nowMs;
    }
    const before = this.#suspect;
    const slewedMs = before && towards(before.offsetMs, offsetMs, slewMs);
    // Another step while one is waited for begins the waiting anew.
    const stands = slewedMs !== undefined && Math.abs(offsetMs - slewedMs) <= maxStepMs;
    this.#suspect = stands ? { offsetMs: slewedMs, sinceMs: before?.sinceMs ?? atMs } : { offsetMs, sinceMs: atMs };
    // What was believed when more was kept is not any more.
    const goesOnMs = Math.min(known.valueMs + passedMs, baseMs + maxStepMs + atMs);
    const confirmedMs = Math.min(passedMs, atMs - this.#suspect.sinceMs - CONFIRM_MS);
    if (confirmedMs < 0) {
      // Slewing is of a clock that is believed.
      this.#known = { valueMs: goesOnMs, atMs, baseMs: known.baseMs };
      return goesOnMs;
    }
    // Back at once, since that deletes nothing; forward step by step.
    const valueMs = Math.min(nowMs, goesOnMs + (CATCH_UP - 1) * confirmedMs);
    if (valueMs === nowMs) this.#suspect = undefined;
    this.#known = { valueMs, atMs, baseMs: valueMs - atMs };
    return valueMs;
  }
}

/** By how much the clock leapt forward while the last day of the archive was recorded. */
function leaptMs(gaps: readonly Gap[], newestEndMs: number): number {
  let sumMs = 0;
  for (const { fromMs, toMs, reason } of gaps) {
    if (reason === 'clock' && toMs - fromMs > MAX_STEP_MS && newestEndMs - toMs < RECENT_LEAP_MS) sumMs += toMs - fromMs;
  }
  return sumMs;
}

function towards(fromMs: number, toMs: number, byMs: number): number {
  return fromMs + Math.max(-byMs, Math.min(byMs, toMs - fromMs));
}
