/**
 * From what is known of a segment to its journal entry and back, and the rules between an entry and the one
 * before it (F11, F12). Times are rounded here and nowhere else.
 */
import { invariant } from '../base/index.js';
import type { EntryFacts, PlaylistEntry } from '../hls/index.js';
import { TICKS_PER_MS, ticksToMs } from '../model/index.js';
import type { CommittedSegment, Keyframe, SegmentFacts } from './contract.js';

/** Keyframes that an entry names at most. */
const MAX_KEYFRAMES = 64;
/** How far wall time may part from media time (docs/design/time.md), and a millisecond, for date-times are cut to whole ones. */
const MAX_SLEW = 0.0005;
/** A millisecond for cutting date-times, and a little for the rounding of EXTINF to microseconds. */
const TOLERANCE_MS = 1.01;

/** What the archive adds to the facts of a segment. */
export interface Placing {
  readonly index: number;
  readonly uri: string;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly sizeBytes: number;
  readonly cumulativeBytes: number;
  readonly crc32: number;
  readonly epoch: number;
}

/** The entry for a segment. */
export function entryOf(facts: SegmentFacts, placing: Placing): PlaylistEntry {
  const { uri, ...place } = placing;
  const entryFacts: EntryFacts = {
    ...place,
    pts: facts.pts,
    keyframes: thinned(facts.keyframes),
    headBytes: facts.headBytes,
    forced: facts.forced,
    lostBytes: facts.lostBytes,
    errors: facts.errors,
    gap: facts.gap && { fromMs: Math.floor(facts.gap.fromMs), reason: facts.gap.reason },
    unknownKeys: [],
  };
  return {
    discontinuity: facts.discontinuity,
    wallMs: Math.floor(facts.wallMs),
    durationUs: durationUs(facts),
    uri,
    facts: entryFacts,
    unknownTags: [],
  };
}

/** The segment that an entry of ours tells of. */
export function segmentOf(entry: PlaylistEntry, facts: EntryFacts, wallMs: number): CommittedSegment {
  const { unknownKeys: _, gap, ...known } = facts;
  return {
    ...known,
    uri: entry.uri,
    discontinuity: entry.discontinuity,
    wallMs,
    duration90k: ticksOf(entry.durationUs),
    gap: gap && { fromMs: gap.fromMs, toMs: wallMs, reason: gap.reason },
  };
}

/** Where a segment ends; UTC milliseconds with a fraction. */
export function endMs(segment: { readonly wallMs: number; readonly duration90k: number }): number {
  return segment.wallMs + ticksToMs(segment.duration90k);
}

/** Microseconds of EXTINF as ticks: exact, since a tick is more than eleven microseconds. */
export function ticksOf(us: number): number {
  return Math.round((us * TICKS_PER_MS) / 1000);
}

/**
 * Throws INVARIANT_BROKEN when `entry` must not follow `last` in a life of this target: writing it would break what players and
 * every later reader rely on.
 */
export function checkFollows(last: CommittedSegment | undefined, entry: PlaylistEntry, targetDurationSec: number): void {
  const { wallMs, durationUs: us } = entry;
  invariant(wallMs !== undefined && Number.isSafeInteger(wallMs) && wallMs >= 0, `F11: segment ${entry.uri} has the date-time ${wallMs}`);
  invariant(Number.isSafeInteger(us) && us >= 0, `F12: segment ${entry.uri} lasts ${us} microseconds`);
  invariant(
    Math.round(us / 1e6) <= targetDurationSec,
    `F12: segment ${entry.uri} lasts ${us / 1e6} s; the target is ${targetDurationSec} s`,
  );
  if (last === undefined) return;
  const lastMs = ticksToMs(last.duration90k);
  const aheadMs = wallMs - (last.wallMs + lastMs);
  const slackMs = lastMs * MAX_SLEW + TOLERANCE_MS;
  invariant(wallMs >= last.wallMs && aheadMs >= -slackMs, `F11: segment ${entry.uri} begins ${-aheadMs} ms before ${last.uri} ends`);
  invariant(
    entry.discontinuity || aheadMs <= slackMs,
    `F11: segment ${entry.uri} begins ${aheadMs} ms after ${last.uri} ends, without a discontinuity`,
  );
}

/**
 * EXTINF in microseconds. Both ends are cut to whole microseconds of the stream's clock, so that the rounding errors of the segments of a
 * run cancel out instead of adding up.
 */
function durationUs(facts: SegmentFacts): number {
  const ticks = Math.round(facts.duration90k);
  const first90k = facts.pts?.first90k ?? 0;
  return cutToUs(first90k + ticks) - cutToUs(first90k);
}

const cutToUs = (ticks: number): number => Math.floor((ticks * 1000) / TICKS_PER_MS);

function thinned(keyframes: readonly Keyframe[]): readonly Keyframe[] {
  // One that has no time stamp cannot be found by time.
  const timed = keyframes.filter((key) => Number.isSafeInteger(key.pts90k));
  if (timed.length <= MAX_KEYFRAMES) return timed;
  return Array.from({ length: MAX_KEYFRAMES }, (_, i) => timed[Math.floor((i * timed.length) / MAX_KEYFRAMES)]).filter(
    (key) => key !== undefined,
  );
}
