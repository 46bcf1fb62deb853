/**
 * Drives a segmenter in tests: makes access units at a frame rate, moves the clock with them, and keeps what is
 * decided. One access unit is 1,000 bytes.
 */
import { ManualClock } from '../base/index.js';
import { PTS_MODULUS, TICKS_PER_SECOND } from '../model/index.js';
import type { AccessUnit, EndedSegment, SegmenterSink } from './facts.js';
import { Segmenter, type SegmenterOptions } from './segmenter.js';

/** Size of every unit in bytes. */
export const UNIT_BYTES = 1000;

/** A segment as the sink saw it. */
export interface Seen extends EndedSegment {
  readonly from: number;
  readonly to: number;
  readonly head: boolean;
}

/** A segmenter with a source of units. */
export class Driver {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 1));
  readonly segments: Seen[] = [];
  readonly lives: number[] = [];
  readonly signals: string[] = [];
  readonly segmenter: Segmenter;
  position = 0;
  /** DTS of the next frame, unwrapped ticks. */
  dts90k: number;
  /** Length of a frame in ticks. */
  frame90k = TICKS_PER_SECOND / 25;
  /** PTS is this much after DTS. */
  reorder90k = 0;
  /** A frame is a keyframe when this says so; counts from the driver's first. */
  keyEvery = 50;
  frames = 0;
  #begun: { from: number; head: boolean } | undefined;

  constructor(options: Partial<SegmenterOptions> & { dts90k?: number } = {}) {
    this.dts90k = options.dts90k ?? 10 * TICKS_PER_SECOND;
    const sink: SegmenterSink = {
      begin: (position, head) => {
        if (this.#begun) throw new Error('begun twice');
        if (position < (this.segments.at(-1)?.to ?? 0)) throw new Error('position went back');
        this.#begun = { from: position, head: head !== undefined };
      },
      end: (position, segment) => {
        if (!this.#begun) throw new Error('ended without beginning');
        if (position <= this.#begun.from) throw new Error('empty segment');
        this.segments.push({ ...segment, ...this.#begun, to: position });
        this.#begun = undefined;
      },
      life: (targetDurationSec) => this.lives.push(targetDurationSec),
      signalLost: () => this.signals.push('lost'),
      signalBack: () => this.signals.push('back'),
      tables: () => ({ render: () => new Uint8Array(376) }),
    };
    this.segmenter = new Segmenter({ segmentDurationSec: 4, ...options, sink, clock: this.clock });
    this.segmenter.program(true, false, false);
  }

  /** Whether a segment is open. */
  get open(): boolean {
    return this.#begun !== undefined;
  }

  /** One frame now; then time goes on by its length. */
  frame(overrides: Partial<AccessUnit> = {}): void {
    const key = this.frames % this.keyEvery === 0;
    const unit: AccessUnit = {
      position: this.position,
      unitPosition: this.position,
      tables: undefined,
      pid: 256,
      role: 'video',
      reference: true,
      pts90k: modulo33(this.dts90k + this.reorder90k),
      dts90k: modulo33(this.dts90k),
      randomAccess: key,
      formatChanged: false,
      arrivalMs: this.clock.nowMs(),
      ...overrides,
    };
    this.segmenter.unit(unit);
    this.position += UNIT_BYTES;
    this.segmenter.pushed(this.position, this.clock.nowMs());
    this.frames += 1;
    this.dts90k += this.frame90k;
    this.clock.advance(this.frame90k / 90);
  }

  /** Frames for `seconds`. */
  play(seconds: number): void {
    const count = Math.round((seconds * TICKS_PER_SECOND) / this.frame90k);
    for (let i = 0; i < count; i++) this.frame();
  }

  /** A unit of sound at `pts90k` (unwrapped), where the stream is. */
  sound(pts90k: number): void {
    this.segmenter.unit({
      position: this.position,
      unitPosition: this.position,
      tables: undefined,
      pid: 257,
      role: 'audio',
      reference: false,
      pts90k: modulo33(pts90k),
      dts90k: modulo33(pts90k),
      randomAccess: true,
      formatChanged: false,
      arrivalMs: this.clock.nowMs(),
    });
    this.position += UNIT_BYTES;
    this.segmenter.pushed(this.position, this.clock.nowMs());
  }

  finish(): void {
    this.segmenter.finish(this.position);
  }

  /** Durations of the segments, seconds. */
  get durations(): number[] {
    return this.segments.map((segment) => segment.duration90k / TICKS_PER_SECOND);
  }
}

function modulo33(ticks: number): number {
  return ((ticks % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
}
