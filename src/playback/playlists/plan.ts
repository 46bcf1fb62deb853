/**
 * What a playlist holds and says, decided before any text is made: which entries, whether it has ended, its type, what may be skipped. A plan depends on
 * nothing but the timeline, the request and the time, so the same URL is answered the same by every server, and a playlist never changes in a way that
 * RFC 8216, 6.2 does not allow: tags of the header depend on what was asked, not on how much has come.
 */
import { LivetapeError } from '../../base/index.js';
import type { PlaylistType } from '../../hls/index.js';
import type { PlaylistLimits, PlaylistRequest, Timeline } from '../contract.js';
import { findWindow, givenUpMs, isPast, type WindowRange } from '../window.js';

/** A window that is past is written as VOD so long after it became so (P7). */
const VOD_AFTER_MS = 60_000;
/** Playlists that may grow longer than so many target durations can be asked for in part (P12) … */
const SKIPPABLE_TARGETS = 12;
/** … without what is older than so many (rfc8216bis, 4.4.3.8). */
export const SKIP_BOUNDARY_TARGETS = 6;
/** A live playlist holds no less (RFC 8216, 6.2.2). */
const LEAST_TARGETS = 3;

/** A playlist, decided. */
export interface Plan {
  readonly range: WindowRange;
  readonly type: PlaylistType | undefined;
  /** Nothing will be added: EXT-X-ENDLIST. */
  readonly ended: boolean;
  /** EXT-X-START: where the viewer asked to begin; UTC milliseconds. Undefined to leave that to the player. */
  readonly startMs: number | undefined;
  /** Its older part may be left out for clients that have it. */
  readonly skippable: boolean;
  /** Gaps are filled with EXT-X-GAP entries as far as they lie in this span; undefined to leave holes. */
  readonly marked: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly age: 'live' | 'past';
}

/** @throws LivetapeError WINDOW_TOO_LONG, WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_EXPIRED, WINDOW_IN_FUTURE */
export async function planPlaylist(timeline: Timeline, request: PlaylistRequest, nowMs: number, limits: PlaylistLimits): Promise<Plan> {
  switch (request.kind) {
    case 'archive':
      return planArchive(timeline);
    case 'live':
      if (request.rewindMs !== undefined) checkLength(request.rewindMs, limits);
      return planLive(timeline, timeline.endSequence, request.rewindMs ?? limits.liveWindowMs);
    case 'delayed':
      return planDelayed(timeline, nowMs - request.delayMs, limits.liveWindowMs);
    case 'window':
      return planWindow(timeline, request, nowMs, limits);
  }
}

function planArchive(timeline: Timeline): Plan {
  const range = { fromSequence: timeline.firstSequence, toSequence: timeline.endSequence };
  return { range, type: timeline.type, ended: timeline.ended, startMs: undefined, skippable: false, marked: undefined, age: 'live' };
}

/** The newest entries before `endSequence` that last so long (P6). */
async function planLive(timeline: Timeline, endSequence: number, lengthMs: number): Promise<Plan> {
  const targetMs = timeline.targetDurationSec * 1000;
  return {
    range: { fromSequence: await timeline.back(endSequence, Math.max(lengthMs, LEAST_TARGETS * targetMs)), toSequence: endSequence },
    type: undefined,
    ended: timeline.ended && endSequence === timeline.endSequence,
    startMs: undefined,
    skippable: lengthMs > SKIPPABLE_TARGETS * targetMs,
    marked: undefined,
    age: 'live',
  };
}

/** The live playlist as it would have been at `thenMs`. */
async function planDelayed(timeline: Timeline, thenMs: number, lengthMs: number): Promise<Plan> {
  const endSequence = await timeline.at(thenMs);
  const plan = await planLive(timeline, endSequence, lengthMs);
  const { fromSequence } = plan.range;
  if (fromSequence > timeline.firstSequence) return plan;
  // Of what there was then some is gone, and a player would find less than it may count on (RFC 8216, 6.2.2).
  if (timeline.pruned && (await durationMs(timeline, plan.range)) < LEAST_TARGETS * timeline.targetDurationSec * 1000) {
    throw outside('WINDOW_EXPIRED', thenMs, timeline);
  }
  if (endSequence === fromSequence) throw outside('WINDOW_BEFORE_ARCHIVE', thenMs, timeline);
  return plan;
}

async function durationMs(timeline: Timeline, range: WindowRange): Promise<number> {
  let sumUs = 0;
  for await (const chunk of timeline.entries(range.fromSequence, range.toSequence)) {
    for (const entry of chunk) sumUs += entry.durationUs;
  }
  return sumUs / 1000;
}

async function planWindow(
  timeline: Timeline,
  request: Extract<PlaylistRequest, { kind: 'window' }>,
  nowMs: number,
  limits: PlaylistLimits,
): Promise<Plan> {
  const { fromMs, durationMs } = request;
  const toMs = durationMs === undefined ? Infinity : fromMs + durationMs;
  checkLength(durationMs ?? timeline.endMs - Math.max(fromMs, timeline.startMs), limits);
  const range = await findWindow(timeline, fromMs, toMs, nowMs);
  const ended = isPast(timeline, toMs, nowMs);
  const settled = ended && nowMs - (await pastSince(timeline, range, toMs)) >= VOD_AFTER_MS;
  const firstMs = range.fromSequence < range.toSequence ? (await timeline.entry(range.fromSequence)).wallMs : fromMs;
  return {
    range,
    type: windowType(timeline, settled),
    ended,
    // A past window is played from its beginning anyway.
    startMs: settled && firstMs >= fromMs ? undefined : fromMs,
    skippable: !settled && (durationMs ?? Infinity) > SKIPPABLE_TARGETS * timeline.targetDurationSec * 1000,
    // Numbers of a window that grows must be those of its entries, since what leaves it is counted (P11).
    marked: settled && request.gaps === 'mark' ? { fromMs, toMs } : undefined,
    age: settled ? 'past' : 'live',
  };
}

/** A client that saw the window grow is told of its end before the type appears (RFC 8216, 6.2.1), but where stopping makes the journal itself VOD (P7). */
function windowType(timeline: Timeline, settled: boolean): PlaylistType | undefined {
  if (settled || timeline.ended) return 'VOD';
  return timeline.type;
}

/** Since when the window is past, by what came and by the time; Infinity where only the end of the life makes it so, for recording may go on. UTC milliseconds. */
async function pastSince(timeline: Timeline, range: WindowRange, toMs: number): Promise<number> {
  const lateMs = givenUpMs(timeline, toMs);
  if (timeline.endMs < toMs) return lateMs;
  const last = await timeline.entry(range.toSequence - 1);
  const lastEndMs = last.wallMs + last.durationUs / 1000;
  if (lastEndMs >= toMs) return Math.min(lastEndMs, lateMs);
  const next = await timeline.entry(range.toSequence);
  return Math.min(next.wallMs + next.durationUs / 1000, lateMs);
}

function checkLength(lengthMs: number, limits: PlaylistLimits): void {
  if (lengthMs <= limits.maxWindowMs) return;
  throw new LivetapeError('WINDOW_TOO_LONG', `${lengthMs / 1000} s is more than one request may ask for: ${limits.maxWindowMs / 1000} s`, {
    context: { lengthMs, maxWindowMs: limits.maxWindowMs },
  });
}

function outside(code: 'WINDOW_EXPIRED' | 'WINDOW_BEFORE_ARCHIVE', thenMs: number, timeline: Timeline): LivetapeError {
  const what = timeline.pruned ? 'what is kept' : 'the recording';
  return new LivetapeError(
    code,
    `so late, now is ${new Date(thenMs).toISOString()}: ${what} begins at ${new Date(timeline.startMs).toISOString()}`,
    {
      context: { thenMs },
    },
  );
}
