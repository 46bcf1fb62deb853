/**
 * Which entries a window holds, and why it holds none (P7, P10): one judgement for playlists, exports and status. Times are those of the
 * entries, UTC milliseconds.
 */
import { LivetapeError, type ErrorCode } from '../base/index.js';
import type { Timeline } from './contract.js';

/** Media that ended so many target durations, and this long, ago may still have more under way that joins it. */
const UNDER_WAY_TARGETS = 3;
const UNDER_WAY_MS = 10_000;

/** Entries of a window, by media sequence: [fromSequence, toSequence). */
export interface WindowRange {
  readonly fromSequence: number;
  readonly toSequence: number;
}

/**
 * The entries that end after `fromMs` and begin before `toMs` (Infinity for all there will be). Of a window that has begun and may still get its first entry the
 * range is empty and lies at the archive's end.
 * @throws LivetapeError WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_EXPIRED or WINDOW_IN_FUTURE when there is none and will be none (P10); ARGUMENT_INVALID when it ends before it begins
 */
export async function findWindow(timeline: Timeline, fromMs: number, toMs: number, nowMs: number): Promise<WindowRange> {
  if (!(fromMs < toMs)) throw new LivetapeError('ARGUMENT_INVALID', 'a window ends after it begins');
  const [fromSequence, toSequence] = await Promise.all([timeline.at(fromMs), endOf(timeline, toMs)]);
  if (fromSequence < toSequence) return { fromSequence, toSequence };
  if (toMs <= timeline.startMs) {
    if (timeline.pruned) throw nothing('WINDOW_EXPIRED', fromMs, toMs, `what is kept begins at ${iso(timeline.startMs)}`);
    throw nothing('WINDOW_BEFORE_ARCHIVE', fromMs, toMs, `the recording begins at ${iso(timeline.startMs)}`);
  }
  if (fromMs < timeline.endMs) throw nothing('WINDOW_IN_GAP', fromMs, toMs, 'it lies in a gap');
  if (fromMs >= nowMs) throw nothing('WINDOW_IN_FUTURE', fromMs, toMs, `now is ${iso(nowMs)}`);
  if (isPast(timeline, toMs, nowMs)) throw nothing('WINDOW_IN_GAP', fromMs, toMs, `the recording ends at ${iso(timeline.endMs)}`);
  return { fromSequence: timeline.endSequence, toSequence: timeline.endSequence };
}

/** Whether nothing will be added any more to a window that ends at `toMs` (P7). */
export function isPast(timeline: Timeline, toMs: number, nowMs: number): boolean {
  return timeline.endMs >= toMs || timeline.ended || nowMs > givenUpMs(timeline, toMs);
}

/** When a window that ends at `toMs` is no longer waited for: nothing that joins it is under way any more. UTC milliseconds. */
export function givenUpMs(timeline: Timeline, toMs: number): number {
  return toMs + UNDER_WAY_TARGETS * timeline.targetDurationSec * 1000 + UNDER_WAY_MS;
}

/** The first entry that begins at or after `toMs`. */
async function endOf(timeline: Timeline, toMs: number): Promise<number> {
  if (toMs > timeline.endMs) return timeline.endSequence;
  const sequence = await timeline.at(toMs);
  if (sequence >= timeline.endSequence) return timeline.endSequence;
  const { wallMs } = await timeline.entry(sequence);
  return wallMs < toMs ? sequence + 1 : sequence;
}

function nothing(code: ErrorCode, fromMs: number, toMs: number, why: string): LivetapeError {
  const window = toMs === Infinity ? `from ${iso(fromMs)} on` : `from ${iso(fromMs)} to ${iso(toMs)}`;
  return new LivetapeError(code, `nothing is recorded ${window}: ${why}`, { context: { fromMs, toMs } });
}

/** For people; what no calendar holds as it is. */
function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
}
