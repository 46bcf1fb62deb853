/**
 * What the segmenter is told and what it decides. Nothing here names a container: an access unit has a place
 * in a stream of bytes, time stamps and a yes or no to "can decoding begin here", whatever carried it. The
 * facts that `mpegts` tells fit as they are.
 */
import type { Gap, GapReason } from '../model/index.js';

/** What goes in front of a segment that does not begin with it: in MPEG-TS, copies of PAT and PMT. */
export interface Head {
  render(): Uint8Array;
}

/** An access unit's beginning. The giver may reuse the object. Positions count bytes of the stored stream. */
export interface AccessUnit {
  /** Where a segment that begins with this unit begins. */
  readonly position: number;
  /** Where the unit itself begins; at or after `position`. */
  readonly unitPosition: number;
  /** What to put in front when a segment begins here; undefined when nothing is needed. */
  readonly tables: Head | undefined;
  /** Which track it belongs to. */
  readonly pid: number;
  readonly role: 'video' | 'audio' | 'data';
  /** Whether it is of the track that decides where to cut: the first video track, else the first audio track. */
  readonly reference: boolean;
  /** Raw 33-bit ticks; NaN where there is none. */
  readonly pts90k: number;
  readonly dts90k: number;
  readonly randomAccess: boolean;
  /** Codec or resolution differ from before. */
  readonly formatChanged: boolean;
  /** Wall time of its arrival; UTC milliseconds. */
  readonly arrivalMs: number;
  /** Its time stamps are not its own but what they should be. Left out by who tells of units. */
  readonly reckoned?: boolean;
}

/** A random access point in a segment. */
export interface KeyframeAt {
  /** Position in the stored stream of the packet in which it begins. */
  readonly position: number;
  /** Raw 33-bit ticks. */
  readonly pts90k: number;
}

/** A segment that has ended. */
export interface EndedSegment {
  readonly discontinuity: boolean;
  /** Wall time of its beginning; UTC milliseconds with a fraction. */
  readonly wallMs: number;
  readonly duration90k: number;
  /** Raw 33-bit ticks; undefined for a stream without time stamps. */
  readonly pts: { readonly first90k: number; readonly end90k: number } | undefined;
  readonly keyframes: readonly KeyframeAt[];
  /** It does not begin at a random access point although the stream has video. */
  readonly forced: boolean;
  /** Bytes left out just before it. */
  readonly lostBytes: number;
  readonly gap: Gap | undefined;
}

/** Who carries out what the segmenter decides. Calls are synchronous; positions never decrease. Bytes outside of segments are left out. */
export interface SegmenterSink {
  /** A segment begins at `position`, with `head` in front of it. `joinable`: decoding can begin here (what its end calls not `forced`). */
  begin(position: number, head: Head | undefined, joinable: boolean): void;
  /** The segment that was begun ends before `position`. */
  end(position: number, segment: EndedSegment): void;
  /** A life begins with the next segment that ends. */
  life(targetDurationSec: number): void;
  /** Media stopped coming; the last of it ended at `fromMs` (UTC milliseconds). */
  signalLost(fromMs: number, reason: GapReason): void;
  /** Media comes again. */
  signalBack(): void;
  /** What to put in front of a segment that begins where no unit does: at the end of what was received. */
  tables(): Head | undefined;
}
