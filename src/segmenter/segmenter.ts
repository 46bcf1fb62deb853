/**
 * Decides where segments begin and end, what is discontinuous and when the signal was lost. A synchronous
 * state machine: facts go in ({@link AccessUnit}, marks, silence), decisions come out ({@link SegmenterSink}).
 * docs/design/time.md states the rules it follows. Its states:
 *
 * - open: a segment is being filled
 * - held: it is not known yet whether what comes joins on to what came (after a mark or a silence)
 * - suspect: inside open; one unit does not follow, and the next one has to say whether the stream jumped
 * - cutting: inside open; a cut is due at a keyframe, and is made once it is sure that more than a tail follows
 * - waiting: no segment; what comes is left out until a random access point comes, or has not come for too long
 */
import { invariant, type Clock } from '../base/index.js';
import { PTS_MODULUS, TICKS_PER_SECOND, ticksToMs, type GapReason } from '../model/index.js';
import type { AccessUnit, Head, SegmenterSink } from './facts.js';
import { MediaTimeline } from './mediaTimeline.js';
import { TargetDuration } from './target.js';
import { waitingFrom, type Held, type OpenSegment, type Waiting } from './state.js';
import { UnitTimes, arrival90k, atArrival } from './unitTimes.js';
import { WallTime } from './wallTime.js';

/** A segment is cut when it gets this large. */
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;
/** What may be held back while it is not decided where it belongs. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;

/**
 * A cut is settled when this much has come after it. A run that ends before leaves no tail shorter than this: players look for what
 * to load next with tolerances (hls.js: 0.25 s) and stop at a segment that is smaller.
 */
const SETTLED_90K = TICKS_PER_SECOND / 2;

/** What a segmenter needs to know beforehand. */
export interface SegmenterOptions {
  /** Seconds a segment should last. */
  readonly segmentDurationSec: number;
  readonly sink: SegmenterSink;
  readonly clock: Clock;
  /** What is recorded already, when there is anything: where it ends, UTC milliseconds. */
  readonly lastEndMs?: number | undefined;
  /** The target duration of the life that is resumed; undefined when one begins. */
  readonly targetDurationSec?: number | undefined;
}

/** One stream's segmenter. */
export class Segmenter {
  readonly #sink: SegmenterSink;
  readonly #clock: Clock;
  readonly #segment90k: number;
  readonly #timeline = new MediaTimeline();
  readonly #wall: WallTime;
  readonly #target: TargetDuration;

  #open: OpenSegment | undefined;
  #waiting: Waiting | undefined;
  #held: Held | undefined;
  #suspect: AccessUnit | undefined;
  /** A cut that is due at this keyframe and not settled yet. */
  #cutting: { readonly unit: AccessUnit; readonly boundary90k: number } | undefined;
  /** A cut with a discontinuity is due at the next random access point; with a new run when its `run` is a reason for one. */
  #pending: { readonly run: GapReason | undefined } | undefined;
  /** The reference has changed tracks: its first random access point begins a segment. */
  #newTrack = false;
  /** The track that stands in for a reference that does not come. */
  #actingPid: number | undefined;
  #hasVideo = false;
  readonly #times = new UnitTimes();
  /** When the newest bytes arrived; UTC milliseconds. */
  #arrivalMs = 0;
  /** PTS - DTS of the latest random access point: what reordering delays. */
  #reorder90k = 0;
  #signalLost = false;
  #timestampErrors = 0;

  constructor(options: SegmenterOptions) {
    this.#sink = options.sink;
    this.#clock = options.clock;
    this.#segment90k = Math.round(options.segmentDurationSec * TICKS_PER_SECOND);
    this.#wall = new WallTime(options.lastEndMs);
    this.#target = new TargetDuration(this.#segment90k, options.targetDurationSec);
    this.#waiting = waitingFrom(0, options.lastEndMs !== undefined, 'restart');
  }

  /** The earliest position a later decision may name; Infinity when there is no such. */
  get heldFrom(): number {
    return Math.min(this.#held?.position ?? Infinity, this.#suspect?.position ?? Infinity, this.#cutting?.unit.position ?? Infinity);
  }

  /** Units whose time stamp alone was wrong. */
  get timestampErrors(): number {
    return this.#timestampErrors;
  }

  /** By how much recorded time is ahead of the clock, milliseconds; 0 within a second. */
  get clockBehindMs(): number {
    return this.#wall.clockBehindMs;
  }

  /** Where the newest ended segment ends; UTC milliseconds. */
  get lastEndMs(): number | undefined {
    return this.#wall.lastEndMs;
  }

  /**
   * The program was chosen or, when `changed`, is another than before.
   * @param hasVideo - whether the track that decides is video
   * @param referenceChanged - whether another track decides than before
   */
  program(hasVideo: boolean, changed: boolean, referenceChanged: boolean): void {
    this.#hasVideo = hasVideo;
    if (!changed) return;
    this.#pending = { run: this.#pending?.run };
    if (referenceChanged) {
      this.#newTrack = true;
      this.#act(undefined);
    }
  }

  /** An access unit began. */
  unit(unit: AccessUnit): void {
    if (unit.role !== 'data') this.#signal(false);
    if (unit.reference && this.#actingPid !== undefined && unit.randomAccess && !Number.isNaN(unit.pts90k)) {
      this.#act(undefined);
      this.#newTrack = true;
    }
    if (this.#actingPid !== undefined ? unit.pid !== this.#actingPid : !unit.reference) return this.#beside(unit);
    const stamped = this.#times.stamp(unit, this.#timeline.otherIsAhead, this.#reorder90k);
    if (!stamped) return;
    if (stamped.switched && this.#open) {
      this.#settleSuspect();
      this.#jump(unit.position, 'signal');
    }
    this.#judge(stamped.unit);
  }

  /** Everything up to `position` was received, the newest of it at `arrivalMs`. */
  pushed(position: number, arrivalMs: number): void {
    if (this.#held && position - this.#held.position > MAX_HELD_BYTES) this.#jump(this.#held.position, this.#held.reason);
    if (this.#suspect && position - this.#suspect.position > MAX_HELD_BYTES) this.#settleSuspect();
    if (this.#cutting && position - this.#cutting.unit.position > MAX_HELD_BYTES) this.#settleCut();
    const waiting = this.#waiting;
    if (waiting) {
      waiting.sinceMs ??= arrivalMs;
      const tooLong = arrivalMs - waiting.sinceMs > ticksToMs(this.#target.wait90k);
      if (!waiting.timed && tooLong && !this.#times.byArrival) this.#times.goByArrival(-Infinity);
    }
    this.#arrivalMs = arrivalMs;
    if (this.#times.byArrival && arrivalMs - this.#times.unitAtMs > ticksToMs(this.#segment90k)) {
      this.#times.goByArrival(arrivalMs);
      this.#signal(false);
      this.#judge(atArrival(this.#bare(position, arrivalMs, !this.#hasVideo)));
    }
    const open = this.#open;
    if (open && position - open.position > MAX_SEGMENT_BYTES + MAX_HELD_BYTES && this.heldFrom === Infinity) {
      this.#cut(this.#bare(position, arrivalMs, false), this.#endOfRun(open), false);
    }
  }

  /**
   * What follows `position` may not join on to what came before it: a reconnect, dropped chunks, another source.
   * The time stamps decide.
   */
  mark(position: number, reason: GapReason): void {
    this.#settleSuspect();
    if (this.#held) {
      if (reason !== 'signal') this.#held = { ...this.#held, reason };
      return;
    }
    if (this.#waiting) this.#waiting = { ...this.#waiting, reason: this.#waiting.reason === 'signal' ? reason : this.#waiting.reason };
    else this.#held = { position, reason, closedAt90k: undefined };
  }

  /** Nothing has come for longer than two segment durations. Ends the partial segment before `position`. */
  silence(position: number): void {
    this.#settleSuspect();
    if (this.#open) {
      const at = this.#held?.position ?? position;
      const closedAt90k = this.#endOfRun(this.#open);
      this.#endRun(at);
      this.#held = { position: at, reason: this.#held?.reason ?? 'signal', closedAt90k };
    }
    this.#signal(true);
  }

  /** The recording ends: so does the open segment, at `position`. */
  finish(position: number): void {
    this.#settleSuspect();
    this.#endRun(this.#held?.position ?? position);
    this.#held = undefined;
    this.#waiting = waitingFrom(position, true, 'restart');
  }

  /** A unit of a track that does not decide. */
  #beside(unit: AccessUnit): void {
    if (unit.role !== 'audio' || Number.isNaN(unit.pts90k) || this.#held || this.#suspect) return;
    this.#timeline.note(unit.pid, unit.pts90k);
    const waiting = this.#waiting;
    if (waiting && !waiting.timed && waiting.sinceMs !== undefined) {
      if (unit.arrivalMs - waiting.sinceMs <= ticksToMs(this.#target.wait90k)) return;
      // The PMT names a video that does not come: the sound is worth keeping.
      this.#act(unit.pid);
      this.#begin(this.#standIn(unit));
    } else if (this.#open && this.#timeline.otherGoesOn) {
      const pts90k = this.#timeline.unwrap(unit.pts90k);
      // Media has gone on long enough to settle a cut, though the reference has not said so.
      if (this.#cutting && pts90k - this.#cutting.boundary90k >= SETTLED_90K) this.#settleCut();
      if (!this.#isOver(pts90k)) return;
      this.#settleCut();
      if (!this.#isOver(pts90k)) return;
      this.#act(unit.pid);
      this.#cut(this.#standIn(unit), Math.min(pts90k, this.#open.start90k + this.#target.limit90k - 1), false);
    }
  }

  /** Whether a unit of the sound at `pts90k` is the last that the open segment can be cut at. */
  #isOver(pts90k: number): boolean {
    return this.#open !== undefined && pts90k + this.#timeline.other90k - this.#open.start90k >= this.#target.limit90k;
  }

  /** From here on the track `pid` decides in the place of the reference; undefined: the reference itself. */
  #act(pid: number | undefined): void {
    this.#actingPid = pid;
    this.#times.reset();
  }

  /** A unit of the track that stands in, with the tables that a segment beginning here needs: such a track names none. */
  #standIn(unit: AccessUnit): AccessUnit {
    return { ...unit, tables: this.#sink.tables(), reference: true };
  }

  /** A unit of the reference: does it follow? */
  #judge(unit: AccessUnit): void {
    const { dts90k, pts90k } = unit;
    const { byArrival } = this.#times;
    const held = this.#held;
    if (held) {
      this.#held = undefined;
      if (byArrival ? held.closedAt90k === undefined : this.#timeline.follows(dts90k, pts90k, true)) this.#rejoin(held);
      else this.#jump(held.position, held.reason);
    }
    const suspect = this.#suspect;
    if (suspect) {
      this.#suspect = undefined;
      if (this.#timeline.follows(dts90k, pts90k)) this.#timestampErrors += 1;
      else if (this.#timeline.paceExplains(suspect.dts90k, dts90k)) this.#goOn(suspect);
      else {
        this.#jump(suspect.position, 'signal');
        this.#await(suspect);
      }
    }
    if (this.#open && this.#newTrack && !this.#timeline.near(dts90k)) this.#jump(unit.position, 'signal');
    if (!this.#open) this.#await(unit);
    else if (byArrival || this.#newTrack || this.#timeline.follows(dts90k, pts90k)) this.#goOn(unit);
    else this.#suspect = this.#kept(unit);
  }

  /** The stream ended, or was marked, while a unit was under suspicion: it is taken at its word. */
  #settleSuspect(): void {
    const suspect = this.#suspect;
    if (!suspect) return;
    this.#suspect = undefined;
    this.#jump(suspect.position, 'signal');
    this.#await(suspect);
  }

  /** After an interruption the time stamps simply go on: nothing was lost. */
  #rejoin(held: Held): void {
    if (held.closedAt90k === undefined) return;
    this.#open = {
      position: held.position,
      start90k: held.closedAt90k,
      bin: undefined,
      forced: this.#hasVideo,
      byArrival: false,
      discontinuity: false,
      reason: undefined,
      lostBytes: 0,
      keyframes: [],
    };
    this.#sink.begin(held.position, this.#sink.tables(), !this.#open.forced);
  }

  /** Media time does not continue at `position`. */
  #jump(position: number, reason: GapReason): void {
    this.#endRun(position);
    this.#held = undefined;
    this.#waiting ??= waitingFrom(position, true, reason);
    this.#pending = undefined;
    this.#newTrack = false;
    this.#actingPid = undefined;
  }

  /** No segment is open: is this where one begins? */
  #await(unit: AccessUnit): void {
    const waiting = (this.#waiting ??= waitingFrom(unit.position, true, 'signal'));
    waiting.timed = true;
    waiting.sinceMs ??= unit.arrivalMs;
    waiting.firstDts90k ??= unit.dts90k;
    const waited = (((unit.dts90k - waiting.firstDts90k) % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
    if (waited > PTS_MODULUS / 2) waiting.firstDts90k = unit.dts90k;
    const tooLong = waited <= PTS_MODULUS / 2 ? waited > this.#target.wait90k : false;
    if (unit.randomAccess || tooLong) this.#begin(unit);
  }

  /** A run begins with this unit. */
  #begin(unit: AccessUnit): void {
    const waiting = this.#waiting ?? waitingFrom(unit.position, true, 'signal');
    this.#waiting = undefined;
    this.#pending = undefined;
    this.#newTrack = false;
    this.#timeline.begin(unit.dts90k, unit.pts90k);
    this.#target.beginRun();
    this.#wall.beginRun();
    this.#reorder90k = this.#timeline.unwrap(unit.pts90k) - this.#timeline.last90k;
    this.#observe(unit);
    this.#openAt(unit, this.#timeline.unwrap(unit.pts90k), {
      discontinuity: waiting.discontinuity,
      reason: waiting.reason,
      lostBytes: unit.position - waiting.position,
    });
  }

  /** A unit that follows on in the open segment. */
  #goOn(unit: AccessUnit): void {
    const open = this.#open;
    if (!open) return this.#await(unit);
    if (this.#newTrack && !unit.randomAccess) return;
    const pts90k = this.#timeline.unwrap(unit.pts90k);
    if (this.#cutting && (unit.randomAccess || pts90k - this.#cutting.boundary90k >= SETTLED_90K)) {
      this.#settleCut();
      return this.#goOn(unit);
    }
    const before90k = this.#endOfRun(open);
    if (this.#newTrack) this.#timeline.begin(unit.dts90k, unit.pts90k);
    else this.#timeline.advance(unit.dts90k, unit.pts90k);
    const key = unit.randomAccess;
    if (key) {
      this.#reorder90k = pts90k - this.#timeline.unwrap(unit.dts90k);
      if (this.#actingPid === undefined) this.#target.keyframe(pts90k);
    }
    if (this.#observe(unit)) this.#pending = { run: 'clock' };
    open.bin ??= this.#bin(unit.pts90k);
    const boundary90k = key ? pts90k : this.#timeline.unwrap(unit.dts90k) + this.#reorder90k;
    const tooLarge = unit.position - open.position >= MAX_SEGMENT_BYTES;
    const tooLong = Math.max(boundary90k, pts90k) + this.#timeline.frame90k - open.start90k >= this.#target.limit90k;
    const now = tooLarge || tooLong || (key && (this.#pending !== undefined || unit.formatChanged || this.#newTrack));
    const possible = boundary90k > open.start90k && unit.position > open.position && !this.#cutting;
    if (possible && now && boundary90k - open.start90k >= this.#target.limit90k) this.#cutAtHole(unit, before90k);
    else if (possible && now) this.#cut(unit, boundary90k, key);
    else if (possible && key && this.#bin(unit.pts90k) !== open.bin) this.#cutting = { unit: this.#kept(unit), boundary90k };
    else if (this.#isNamed(unit)) open.keyframes.push({ position: unit.unitPosition, pts90k: unit.pts90k });
  }

  /** A copy of a unit that is decided on later, with the tables as they are now. */
  #kept(unit: AccessUnit): AccessUnit {
    return this.#actingPid === undefined ? { ...unit } : this.#standIn(unit);
  }

  /** Whether a unit is worth naming as a keyframe: sound can be entered anywhere, and what has no time stamp of its own cannot be named by it. */
  #isNamed(unit: AccessUnit): boolean {
    return unit.randomAccess && unit.reckoned !== true && this.#hasVideo && this.#actingPid === undefined;
  }

  /** Makes the cut that is due. */
  #settleCut(): void {
    const cutting = this.#cutting;
    this.#cutting = undefined;
    if (cutting) this.#cut(cutting.unit, cutting.boundary90k, true);
  }

  /** The run ends before `position`. What came after a cut that was not settled stays with the segment before it, if that leaves it short enough. */
  #endRun(position: number): void {
    const cutting = this.#cutting;
    if (this.#open && cutting) {
      if (this.#timeline.end90k - this.#open.start90k >= this.#target.limit90k) this.#settleCut();
      else if (this.#isNamed(cutting.unit)) this.#open.keyframes.push({ position: cutting.unit.unitPosition, pts90k: cutting.unit.pts90k });
      this.#cutting = undefined;
    }
    if (this.#open) this.#end(position, this.#endOfRun(this.#open), false);
  }

  /**
   * Media time stepped forward by less than a jump, but past where the segment has to end (F14): it ends where its last frame did, and
   * the next run begins at once, keyframe or not.
   */
  #cutAtHole(unit: AccessUnit, end90k: number): void {
    this.#end(unit.position, end90k, true);
    this.#waiting = waitingFrom(unit.position, true, 'signal');
    this.#begin(unit);
  }

  /** Ends the open segment where `unit` begins and opens the next there. */
  #cut(unit: AccessUnit, boundary90k: number, atKey: boolean): void {
    this.#end(unit.position, boundary90k, !atKey);
    const misfit = atKey && this.#actingPid === undefined ? this.#target.misfit() : undefined;
    if (misfit !== undefined) this.#sink.life(misfit);
    const pending = this.#pending;
    this.#pending = undefined;
    this.#newTrack = false;
    if (pending?.run !== undefined) {
      this.#wall.beginRun();
      this.#observe(unit);
    }
    this.#openAt(unit, boundary90k, {
      discontinuity: pending !== undefined || unit.formatChanged,
      reason: pending?.run,
      lostBytes: 0,
    });
  }

  #openAt(unit: AccessUnit, start90k: number, how: { discontinuity: boolean; reason: GapReason | undefined; lostBytes: number }): void {
    const { byArrival } = this.#times;
    const key = unit.randomAccess && this.#actingPid === undefined;
    this.#open = {
      position: unit.position,
      start90k,
      bin: Number.isNaN(unit.pts90k) ? undefined : this.#bin(unit.pts90k),
      forced: !key && this.#hasVideo,
      byArrival,
      keyframes: this.#isNamed(unit) ? [{ position: unit.unitPosition, pts90k: unit.pts90k }] : [],
      ...how,
    };
    if (key) this.#target.keyframe(start90k);
    this.#sink.begin(unit.position, unit.reference ? unit.tables : this.#sink.tables(), !this.#open.forced);
  }

  #end(position: number, end90k: number, byForce: boolean): void {
    const open = this.#open;
    if (!open) return;
    this.#open = undefined;
    const { wallMs, gapFromMs } = this.#wall.settle(open.start90k, end90k);
    invariant(end90k - open.start90k < this.#target.limit90k, 'F12: a segment is cut before EXTINF would round above the target');
    const target = this.#target.segmentEnded(end90k - open.start90k, byForce);
    if (target !== undefined) this.#sink.life(target);
    this.#sink.end(position, {
      discontinuity: open.discontinuity,
      wallMs,
      duration90k: end90k - open.start90k,
      pts: open.byArrival ? undefined : { first90k: modulo33(open.start90k), end90k: modulo33(end90k) },
      keyframes: open.keyframes,
      forced: open.forced,
      lostBytes: open.lostBytes,
      gap: gapFromMs === undefined ? undefined : { fromMs: gapFromMs, toMs: wallMs, reason: open.reason ?? 'signal' },
    });
  }

  /** Where the last frame of the run ends, unwrapped. */
  #endOfRun(open: OpenSegment): number {
    // Reordered frames may be a little beyond what EXTINF can say (F12).
    const latest90k = open.start90k + this.#target.limit90k - 1;
    const end90k = open.byArrival ? this.#timeline.unwrap(arrival90k(this.#arrivalMs)) : this.#timeline.end90k;
    const least90k = open.start90k + (open.byArrival ? 1 : this.#timeline.frame90k);
    return Math.min(latest90k, Math.max(end90k, least90k));
  }

  #observe(unit: AccessUnit): boolean {
    return this.#wall.observe(unit.arrivalMs, this.#timeline.unwrap(unit.dts90k) + this.#reorder90k, this.#clock.monotonicMs());
  }

  #signal(lost: boolean): void {
    if (lost === this.#signalLost) return;
    this.#signalLost = lost;
    if (lost) this.#sink.signalLost(this.#wall.lastEndMs ?? this.#clock.nowMs(), this.#held?.reason ?? this.#waiting?.reason ?? 'signal');
    else this.#sink.signalBack();
  }

  #bin(pts90k: number): number {
    return Math.floor(pts90k / this.#segment90k);
  }

  /** A place to cut that no unit names. */
  #bare(position: number, arrivalMs: number, randomAccess: boolean): AccessUnit {
    const tables: Head | undefined = this.#sink.tables();
    const unitPosition = position;
    return {
      position,
      unitPosition,
      tables,
      pid: -1,
      role: 'data',
      reference: true,
      pts90k: NaN,
      dts90k: NaN,
      randomAccess,
      formatChanged: false,
      arrivalMs,
    };
  }
}

function modulo33(ticks90k: number): number {
  return ((ticks90k % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
}
