/** An archive in a line (G10), for lists of many: from what the journal's first and last entries say. */
import type { StreamStorage } from '../storage/index.js';
import type { ArchiveSummary, Timeline } from './contract.js';
import { archiveTotals } from './playlists/status.js';

const DAY_MS = 86_400_000;
/** What is joined is counted all the same. */
const MOST_GAPS = 64;

/**
 * The archive in a line.
 * @param place - where it lies: of another system's, whose entries do not say their sizes, index.json is asked
 * @throws LivetapeError WINDOW_EXPIRED when it was pruned meanwhile, and what the storage throws
 */
export async function archiveSummary(timeline: Timeline, place: StreamStorage, nowMs: number): Promise<ArchiveSummary> {
  const { startMs, endMs, firstSequence, endSequence } = timeline;
  return {
    startedAtMs: startMs,
    lastSegmentAtMs: endMs,
    segmentCount: endSequence - firstSequence,
    totalSizeBytes: timeline.totalSizeBytes ?? (await archiveTotals(timeline, place)).totalSizeBytes,
    lastDay: await gapsBetween(timeline, Math.max(startMs, nowMs - DAY_MS), Math.min(endMs, nowMs)),
  };
}

async function gapsBetween(timeline: Timeline, fromMs: number, toMs: number): Promise<ArchiveSummary['lastDay']> {
  if (!(fromMs < toMs) || !(await mayHaveGaps(timeline, fromMs))) return { gaps: 0, gapMs: 0 };
  let [gaps, gapMs] = [0, 0];
  for (const gap of (await timeline.marks(fromMs, toMs, MOST_GAPS)).gaps) {
    gaps += gap.count;
    gapMs += gap.lostMs;
  }
  return { gaps, gapMs };
}

/** A gap is a discontinuity (docs/design/data-format.md), and entries of ours count those: where the number stays the same nothing is to be searched. */
async function mayHaveGaps(timeline: Timeline, fromMs: number): Promise<boolean> {
  const first = await timeline.entry(await timeline.at(fromMs));
  if (first.gap !== undefined || timeline.totalSizeBytes === undefined) return true;
  const last = await timeline.entry(timeline.endSequence - 1);
  return last.discontinuitySequence !== first.discontinuitySequence;
}
