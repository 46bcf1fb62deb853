/**
 * Judges index.json by the playlist. It is a cache, written after each commit: what disagrees only because a commit came in between is not
 * wrong.
 */
import { isLivetapeError } from '../base/index.js';
import type { Gap } from '../model/index.js';
import { INDEX_NAME, type StreamStorage } from '../storage/index.js';
import { loadIndex, MAX_GAPS, type ArchiveIndex } from './archiveIndex.js';
import { finding, type Finding } from './checkFindings.js';

/** What index.json should say. */
export interface Totals {
  readonly ended: boolean;
  readonly startedAtMs: number | undefined;
  readonly lastEndMs: number | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly lastIndex: number | undefined;
  /** The newest 1,000, newest last. */
  readonly gaps: readonly Gap[];
}

/** The index, or what is wrong with it as a file. */
export async function readIndex(storage: StreamStorage): Promise<ArchiveIndex | Finding> {
  try {
    return (await loadIndex(storage)) ?? finding('index_missing', { file: INDEX_NAME, message: `${INDEX_NAME}: it is not there` });
  } catch (error) {
    if (!isLivetapeError(error)) throw error;
    return finding('index_unreadable', { file: INDEX_NAME, message: `${INDEX_NAME}: ${error.message}` });
  }
}

/** What in `index` is not what the playlist says. An index of the Go system counts and times as it likes. */
export function judgeIndex(index: ArchiveIndex, totals: Totals): Finding[] {
  if (index.format === undefined) return [];
  const found: Finding[] = [];
  const same = (name: string, seen: string | number | undefined, expected: string | number | undefined): void => {
    if (seen === expected) return;
    const message = `${INDEX_NAME}: ${name} is ${seen ?? 'missing'}, and by the playlist it is ${expected ?? 'none'}`;
    found.push(finding('index_wrong', { file: INDEX_NAME, message, expected: String(expected ?? ''), seen: String(seen ?? '') }));
  };
  same('status', index.status, totals.ended ? 'stopped' : 'recording');
  same('segment_count', index.segmentCount, totals.segmentCount);
  same('total_size_bytes', index.totalSizeBytes, totals.sizeBytes);
  same('started_at', index.startedAt?.toISOString(), iso(totals.startedAtMs));
  same('last_segment_at', index.lastSegmentAt?.toISOString(), iso(totals.lastEndMs));
  const next = (totals.lastIndex ?? -1) + 1;
  if ((index.nextIndex ?? 0) < next) same('next_index', index.nextIndex, next);
  const gaps = totals.gaps.slice(-MAX_GAPS);
  const told = index.gaps.slice(-MAX_GAPS);
  same('the number of gaps', told.length, gaps.length);
  if (told.length !== gaps.length) return found;
  const wrong = gaps.findIndex((gap, at) => {
    const other = told[at];
    const asTold = other && other.from.getTime() === Math.trunc(gap.fromMs) && other.to.getTime() === Math.trunc(gap.toMs);
    return asTold !== true || other?.reason !== gap.reason || Math.round(other.duration * 1000) !== Math.round(gap.toMs - gap.fromMs);
  });
  const gap = gaps[wrong];
  const seen = told[wrong];
  if (gap && seen)
    same(
      `gap ${wrong}`,
      `${seen.from.toISOString()}/${seen.to.toISOString()} ${seen.reason}`,
      `${iso(gap.fromMs)}/${iso(gap.toMs)} ${gap.reason}`,
    );
  return found;
}

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());
