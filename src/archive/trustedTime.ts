/**
 * The time by which the age of a segment is judged (K10). A clock that is wrong for a while must delete nothing: a step that monotonic
 * time does not explain is believed only when it has stood for an hour; until then time goes on from where it was.
 */
import type { Clock } from '../base/index.js';

/** A step by more than this, in either direction, waits for confirmation … */
const MAX_STEP_MS = 3_600_000;
/** … which is to stand for so long. */
const CONFIRM_MS = 3_600_000;

/** What is seen at one look. */
export interface TimeSight {
  /** End of the archive's newest segment; UTC milliseconds. Undefined in an empty archive. */
  readonly newestEndMs: number | undefined;
  /** Whether media comes: then recorded time is a clock of its own, and the earlier of the two counts. */
  readonly mediaComes: boolean;
}

interface Suspect {
  readonly valueMs: number;
  readonly sinceMs: number;
}

/** Trusted time of one archive. Looked at now and then; nothing runs in between. */
export class TrustedTime {
  readonly #clock: Clock;
  /** Trusted time, and the monotonic time at which it was that. */
  #known: { readonly valueMs: number; readonly atMs: number } | undefined;
  #suspect: Suspect | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a step waits for confirmation. */
  get inDoubt(): boolean {
    return this.#suspect !== undefined;
  }

  /** Trusted time now; UTC milliseconds. */
  look(sight: TimeSight): number {
    const nowMs = this.#clock.nowMs();
    const atMs = this.#clock.monotonicMs();
    const seenMs = sight.mediaComes && sight.newestEndMs !== undefined ? Math.min(nowMs, sight.newestEndMs) : nowMs;
    const known = this.#known;
    // The first look goes on from what is recorded, for downtime and a clock set wrong look the same from here; or from an earlier clock,
    // since what is recorded may have been labelled by a wrong one.
    const expectedMs = known === undefined ? Math.min(seenMs, sight.newestEndMs ?? seenMs) : known.valueMs + atMs - known.atMs;
    const valueMs = this.#judge(seenMs, expectedMs, atMs);
    this.#known = { valueMs, atMs };
    return valueMs;
  }

  #judge(seenMs: number, expectedMs: number, atMs: number): number {
    if (Math.abs(seenMs - expectedMs) <= MAX_STEP_MS) {
      this.#suspect = undefined;
      return seenMs;
    }
    const suspect = this.#suspect;
    // Another step while one is waited for begins the waiting anew.
    const stands = suspect !== undefined && Math.abs(seenMs - (suspect.valueMs + atMs - suspect.sinceMs)) <= MAX_STEP_MS;
    if (!stands) {
      this.#suspect = { valueMs: seenMs, sinceMs: atMs };
      return expectedMs;
    }
    if (atMs - suspect.sinceMs < CONFIRM_MS) return expectedMs;
    this.#suspect = undefined;
    return seenMs;
  }
}
