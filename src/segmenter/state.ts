/** What the segmenter remembers in each of its states. */
import type { GapReason } from '../model/index.js';
import type { KeyframeAt } from './facts.js';

/** A segment that is being filled. */
export interface OpenSegment {
  readonly position: number;
  /** Media time at which it begins, unwrapped. */
  readonly start90k: number;
  /** floor(PTS / segment duration) of its first unit; undefined until there is one. */
  bin: number | undefined;
  readonly forced: boolean;
  /** It has no time stamps: its media time is that of arrival. */
  readonly byArrival: boolean;
  readonly discontinuity: boolean;
  readonly reason: GapReason | undefined;
  readonly lostBytes: number;
  keyframes: KeyframeAt[];
}

/** What is remembered of the end of the last segment while none is open. */
export interface Waiting {
  readonly position: number;
  readonly discontinuity: boolean;
  readonly reason: GapReason;
  sinceMs: number | undefined;
  firstDts90k: number | undefined;
  timed: boolean;
}

/** What comes from `position` on may not join on to what came before it. */
export interface Held {
  readonly position: number;
  readonly reason: GapReason;
  /** Where in media time the segment that was closed by silence ended; undefined while it is still open. */
  closedAt90k: number | undefined;
}

/** Nothing is open from `position` on. */
export function waitingFrom(position: number, discontinuity: boolean, reason: GapReason): Waiting {
  return { position, discontinuity, reason, sinceMs: undefined, firstDts90k: undefined, timed: false };
}
