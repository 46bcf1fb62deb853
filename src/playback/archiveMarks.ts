/** What there is of a window for who draws it (G10): gaps, errors, and the spans between the gaps. */
import { LivetapeError } from '../base/index.js';
import type { ArchiveMarks, Timeline, ToldMarks } from './contract.js';
import { spansBetween } from './playlists/status.js';

const NOTHING: ToldMarks = { gaps: [], errors: [] };

/**
 * Gaps and errors of the window as the timeline tells them, and the spans between.
 * @throws LivetapeError ARGUMENT_INVALID when it ends before it begins; WINDOW_EXPIRED when it was pruned meanwhile
 */
export async function archiveMarks(
  timeline: Timeline,
  window: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
  most: number,
): Promise<ArchiveMarks> {
  const { startMs, endMs } = timeline;
  if (window.fromMs !== undefined && window.toMs !== undefined && !(window.fromMs < window.toMs)) {
    throw new LivetapeError('ARGUMENT_INVALID', 'a window ends after it begins');
  }
  // An end that was not said lies behind the beginning that was, and the other way round.
  const fromMs = window.fromMs ?? Math.min(startMs, window.toMs ?? Infinity);
  const toMs = window.toMs ?? Math.max(endMs, fromMs);
  const [first, last] = [Math.max(fromMs, startMs), Math.min(toMs, endMs)];
  const marks = first < last ? await timeline.marks(first, last, most) : NOTHING;
  return { fromMs, toMs, startedAtMs: startMs, lastSegmentAtMs: endMs, spans: spansBetween(marks.gaps, first, last), ...marks };
}
