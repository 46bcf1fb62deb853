/**
 * What an archive holds, for recording_status.json: from index.json where that agrees with the journal, so that it costs nothing however
 * deep the archive is, and else from the journal itself.
 */
import { loadIndex, summarize, type ArchiveIndex } from '../../archive/index.js';
import { isLivetapeError } from '../../base/index.js';
import type { Gap } from '../../model/index.js';
import type { StreamStorage } from '../../storage/index.js';
import type { ArchiveStatus, Timeline } from '../contract.js';

/** Gaps that are told of at most; index.json names no more. */
const MAX_GAPS = 1000;
/** index.json is written after the journal, and the timeline may be a little older than both. */
const MAX_APART = 8;
/** index.json cuts times to milliseconds. */
const SAME_MS = 2;

/** The totals, however they were come by. */
export interface Totals {
  readonly segmentCount: number;
  readonly totalSizeBytes: number;
  readonly lastSegmentAtMs: number;
  /** The newest there are; undefined where that is not known. */
  readonly gaps: readonly Gap[] | undefined;
}

/**
 * What the archive holds; gaps and ranges within a window, where one is given.
 * @param place - where the archive lies
 * @throws LivetapeError WINDOW_EXPIRED when it was pruned meanwhile, and what the storage throws
 */
export async function archiveStatus(
  timeline: Timeline,
  place: StreamStorage,
  window?: { readonly fromMs: number; readonly toMs: number },
): Promise<ArchiveStatus> {
  const totals = await archiveTotals(timeline, place);
  const [fromMs, toMs] = [
    Math.max(timeline.startMs, window?.fromMs ?? -Infinity),
    Math.min(totals.lastSegmentAtMs, window?.toMs ?? Infinity),
  ];
  // A thousand may be the newest of more, and then the spans between the older are not known.
  const known =
    window === undefined && totals.gaps !== undefined && totals.gaps.length < MAX_GAPS
      ? totals.gaps.filter((gap) => gap.toMs > fromMs)
      : undefined;
  const gaps = known ?? (await gapsBetween(timeline, fromMs, toMs));
  return {
    status: timeline.ended ? 'stopped' : 'recording',
    startedAtMs: timeline.startMs,
    lastSegmentAtMs: totals.lastSegmentAtMs,
    segmentCount: totals.segmentCount,
    totalSizeBytes: totals.totalSizeBytes,
    gaps: gaps.slice(-MAX_GAPS),
    ranges: spansBetween(gaps, fromMs, toMs),
  };
}

/** How much there is, by index.json or else by the journal. */
export async function archiveTotals(timeline: Timeline, place: StreamStorage): Promise<Totals> {
  return (await fromIndex(timeline, place)) ?? (await fromJournal(timeline, place));
}

/** Undefined where index.json is missing, cannot be read or tells of another state. */
async function fromIndex(timeline: Timeline, place: StreamStorage): Promise<Totals | undefined> {
  const index = await loadIndex(place).catch((error: unknown) => {
    if (isLivetapeError(error, 'ARCHIVE_CORRUPT') || isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER')) return undefined;
    throw error;
  });
  if (index?.startedAt === undefined || index.lastSegmentAt === undefined) return undefined;
  if (Math.abs(index.startedAt.getTime() - timeline.startMs) > SAME_MS) return undefined;
  const indexEndMs = index.lastSegmentAt.getTime();
  const ahead = index.segmentCount - (timeline.endSequence - timeline.firstSequence);
  if (Math.abs(ahead) > MAX_APART) return undefined;
  const gaps = gapsOf(index);
  if (ahead > 0) {
    if (indexEndMs <= timeline.endMs) return undefined;
    return { segmentCount: index.segmentCount, totalSizeBytes: index.totalSizeBytes, lastSegmentAtMs: indexEndMs, gaps };
  }
  const endSequence = timeline.endSequence + ahead;
  if (endSequence <= timeline.firstSequence) return undefined;
  const last = await timeline.entry(endSequence - 1);
  if (Math.abs(last.wallMs + last.durationUs / 1000 - indexEndMs) > SAME_MS) return undefined;
  return addNewest(timeline, endSequence, index.totalSizeBytes, gaps);
}

/** What index.json does not know yet. */
async function addNewest(
  timeline: Timeline,
  fromSequence: number,
  sizeBytes: number,
  gaps: readonly Gap[] | undefined,
): Promise<Totals | undefined> {
  let totalSizeBytes = sizeBytes;
  for await (const chunk of timeline.entries(fromSequence, timeline.endSequence)) {
    for (const entry of chunk) {
      if (entry.sizeBytes === undefined) return undefined;
      totalSizeBytes += entry.sizeBytes;
    }
  }
  const newest = await timeline.gaps(fromSequence, timeline.endSequence);
  return {
    segmentCount: timeline.endSequence - timeline.firstSequence,
    totalSizeBytes,
    lastSegmentAtMs: timeline.endMs,
    gaps: gaps && [...gaps, ...newest.map(({ gap }) => gap)],
  };
}

async function fromJournal(timeline: Timeline, place: StreamStorage): Promise<Totals> {
  const { sizeBytes } = await summarize(place);
  return {
    segmentCount: timeline.endSequence - timeline.firstSequence,
    totalSizeBytes: sizeBytes,
    lastSegmentAtMs: timeline.endMs,
    gaps: undefined,
  };
}

/** Undefined for an index of the Go system, which does not count the time when it was not running. */
function gapsOf(index: ArchiveIndex): Gap[] | undefined {
  if (index.format === undefined) return undefined;
  return index.gaps.map((gap) => ({ fromMs: gap.from.getTime(), toMs: gap.to.getTime(), reason: gap.reason ?? 'signal' }));
}

/** Gaps that reach into the span. */
async function gapsBetween(timeline: Timeline, fromMs: number, toMs: number): Promise<Gap[]> {
  if (fromMs >= toMs) return [];
  const [from, to] = await Promise.all([timeline.at(fromMs), timeline.at(toMs)]);
  const found = await timeline.gaps(from, Math.min(to + 1, timeline.endSequence));
  return found.map(({ gap }) => gap).filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
}

/** What lies between the gaps: the spans with media from `fromMs` to `toMs`. */
export function spansBetween(gaps: readonly Gap[], fromMs: number, toMs: number): { fromMs: number; toMs: number }[] {
  const ranges: { fromMs: number; toMs: number }[] = [];
  let at = fromMs;
  for (const gap of gaps) {
    if (gap.fromMs > at) ranges.push({ fromMs: at, toMs: gap.fromMs });
    at = Math.max(at, gap.toMs);
  }
  if (at < toMs) ranges.push({ fromMs: at, toMs });
  return ranges;
}
