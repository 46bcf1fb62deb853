/**
 * Whether time stamps go on. Keeps the unwrapped media time of the reference track and judges each new time
 * stamp: does it follow on what came, as the frame rate (or another track that ran on) explains, or has the
 * stream jumped? docs/design/time.md, "Gaps and discontinuities".
 */
import { ptsDelta, TICKS_PER_SECOND } from '../model/index.js';

/** A step forward of up to this is never a jump. */
const ALWAYS_EXPLAINED = TICKS_PER_SECOND;
/** Streams that carry PTS alone although their frames are reordered step back by up to this. */
const REORDER_TOLERANCE = TICKS_PER_SECOND / 5;
/** Tracks of one program are not multiplexed further apart than this. */
const TRACKS_APART = 10 * TICKS_PER_SECOND;
/** How many intervals are remembered. */
const REMEMBERED = 16;
/** The length of a frame when none is known: 25 frames a second. */
const DEFAULT_FRAME = TICKS_PER_SECOND / 25;

/** The media time of one stream. Time stamps go in raw (33 bits) and come out unwrapped. */
export class MediaTimeline {
  #raw = 0;
  #last = 0;
  #known = false;
  #intervals: number[] = [];
  #next = 0;
  #presentedUntil = 0;
  #other: { pid: number; raw: number; trustedFrom: number; step: number } | undefined;

  /** The newest DTS, unwrapped. */
  get last90k(): number {
    return this.#last;
  }

  /** Where the frame that is presented last ends, unwrapped. */
  get end90k(): number {
    return this.#presentedUntil + this.frame90k;
  }

  /** The usual length of a frame: the median of the latest intervals. */
  get frame90k(): number {
    if (this.#intervals.length === 0) return DEFAULT_FRAME;
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? DEFAULT_FRAME;
  }

  /** A raw time stamp as unwrapped media time, near the newest. */
  unwrap(raw90k: number): number {
    return this.#known ? this.#last + ptsDelta(this.#raw, raw90k) : raw90k;
  }

  /** Begins a run at a unit; what frame intervals were known is forgotten. */
  begin(dts90k: number, pts90k: number): void {
    this.#intervals = [];
    this.#next = 0;
    this.#other = undefined;
    this.#move(dts90k);
    this.#presentedUntil = this.unwrap(pts90k);
  }

  /** Takes a unit that follows on. */
  advance(dts90k: number, pts90k: number): void {
    const interval = ptsDelta(this.#raw, dts90k);
    if (interval > 0) {
      this.#intervals[this.#next] = interval;
      this.#next = (this.#next + 1) % REMEMBERED;
      this.#move(dts90k);
    }
    this.#presentedUntil = Math.max(this.#presentedUntil, this.unwrap(pts90k));
  }

  /** Whether a unit follows on what came. `alone`: without the help of other tracks, after an interruption of all of them. */
  follows(dts90k: number, pts90k: number, alone = false): boolean {
    const step = ptsDelta(this.#raw, dts90k);
    if (step < 0) return dts90k === pts90k && step >= -REORDER_TOLERANCE;
    if (step <= ALWAYS_EXPLAINED || step <= 2 * this.#longestInterval()) return true;
    if (alone || !this.otherGoesOn) return false;
    const sinceOther = ptsDelta(this.#other?.raw ?? 0, dts90k);
    return sinceOther <= ALWAYS_EXPLAINED && sinceOther >= -TRACKS_APART;
  }

  /** Whether a unit of another track can be of the same media time as what came. */
  near(dts90k: number): boolean {
    return Math.abs(ptsDelta(this.#raw, dts90k)) <= TRACKS_APART;
  }

  /** Whether `second` follows `first` at the pace at which `first` followed what came: a slow frame rate, not a jump. */
  paceExplains(firstDts90k: number, secondDts90k: number): boolean {
    const before = ptsDelta(this.#raw, firstDts90k);
    const after = ptsDelta(firstDts90k, secondDts90k);
    return before > 0 && after > before / 2 && after <= before * 2 && before <= TRACKS_APART;
  }

  /** Takes a time stamp of a track that is not the reference. The first such track is the one that is followed. */
  note(pid: number, raw90k: number): void {
    if (!this.#known) return;
    const other = this.#other;
    if (other === undefined) {
      this.#other = { pid, raw: raw90k, trustedFrom: this.#last + (this.near(raw90k) ? 0 : TICKS_PER_SECOND), step: 0 };
      return;
    }
    if (other.pid !== pid) return;
    const step = ptsDelta(other.raw, raw90k);
    // Having jumped by itself it explains nothing, until the reference has gone on for a second without a jump.
    if (step < -REORDER_TOLERANCE || step > ALWAYS_EXPLAINED) other.trustedFrom = this.#last + TICKS_PER_SECOND;
    if (step === 0) return;
    other.raw = raw90k;
    other.step = Math.max(0, step);
  }

  /** The latest step of the track that runs on beside the reference. */
  get other90k(): number {
    return this.#other?.step ?? 0;
  }

  /** Whether another track runs on beside the reference, without a jump. */
  get otherGoesOn(): boolean {
    const other = this.#other;
    return other !== undefined && this.#last >= other.trustedFrom && Math.abs(ptsDelta(this.#raw, other.raw)) < PTS_FAR;
  }

  /** Whether another track has gone on beyond the newest unit of the reference. */
  get otherIsAhead(): boolean {
    return this.otherGoesOn && ptsDelta(this.#raw, this.#other?.raw ?? this.#raw) > 0;
  }

  #longestInterval(): number {
    let longest = 0;
    for (const interval of this.#intervals) longest = Math.max(longest, interval);
    return longest;
  }

  #move(dts90k: number): void {
    this.#last = this.unwrap(dts90k);
    this.#raw = dts90k;
    this.#known = true;
  }
}

/** Another track may be ahead of a reference that stands still by this much before the two are thought unrelated: an hour. */
const PTS_FAR = 3600 * TICKS_PER_SECOND;
