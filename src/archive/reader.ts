/**
 * Reading an archive, whoever writes it at the time. Nothing is changed, and what cannot be read is said with a
 * code and a line.
 */
import { LivetapeError } from '../base/index.js';
import type { PlaylistType } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import type { StreamStorage } from '../storage/index.js';
import { MAX_GAPS } from './archiveIndex.js';
import { scanJournal } from './scan.js';

/** A segment as the playlist tells it. */
export interface SegmentMeta {
  /** Its number. */
  readonly index: number;
  /** When it begins. */
  readonly wallTime: Date;
  /** Seconds. */
  readonly duration: number;
  /** Its media time does not continue that of the segment before. */
  readonly discontinuity: boolean;
  /** The file. */
  readonly uri: string;
  /** Undefined in a playlist that the Go system wrote. */
  readonly sizeBytes: number | undefined;
}

/** What is in an archive, summed up. */
export interface ArchiveSummary {
  readonly type: PlaylistType | undefined;
  /** The life is over: EXT-X-ENDLIST is there. */
  readonly ended: boolean;
  /** Undefined in a playlist that the Go system wrote. */
  readonly life: number | undefined;
  readonly targetDurationSec: number;
  readonly segmentCount: number;
  /** Of the segments whose entries say their size. */
  readonly sizeBytes: number;
  /** Media in all, silence not counted; seconds. */
  readonly durationSec: number;
  /** Beginning of the oldest segment; UTC milliseconds. */
  readonly startedAtMs: number | undefined;
  /** End of the newest; UTC milliseconds. */
  readonly lastSegmentAtMs: number | undefined;
  readonly discontinuities: number;
  /** All gaps there are, in number; `gaps` are the newest 1,000. */
  readonly gapCount: number;
  readonly gaps: readonly Gap[];
  /** Bytes after the last entry that are not one: torn, or being written at this moment. */
  readonly tornBytes: number;
}

/**
 * Every segment in a playlist, oldest first.
 * @throws LivetapeError STREAM_NOT_FOUND where there is no playlist; ARCHIVE_CORRUPT (with the line), ARCHIVE_FORMAT_NEWER
 */
export async function parsePlaylist(storage: StreamStorage): Promise<SegmentMeta[]> {
  const segments = await scanJournal(storage, () => {
    const found: SegmentMeta[] = [];
    return {
      add: ({ entry, index, wallMs }) =>
        found.push({
          index,
          wallTime: new Date(wallMs),
          duration: entry.durationUs / 1e6,
          discontinuity: entry.discontinuity,
          uri: entry.uri,
          sizeBytes: entry.facts?.sizeBytes,
        }),
      result: () => found,
    };
  });
  return segments ?? missing(storage);
}

/**
 * An archive summed up, in memory that does not grow with its depth.
 * @throws LivetapeError as {@link parsePlaylist}
 */
export async function summarize(storage: StreamStorage): Promise<ArchiveSummary> {
  const summary = await scanJournal(storage, (header) => {
    let [segmentCount, sizeBytes, durationUs, discontinuities, gapCount] = [0, 0, 0, 0, 0];
    let startedAtMs: number | undefined;
    let lastSegmentAtMs: number | undefined;
    const gaps = new NewestGaps();
    return {
      add({ entry, wallMs }) {
        segmentCount += 1;
        sizeBytes += entry.facts?.sizeBytes ?? 0;
        durationUs += entry.durationUs;
        if (entry.discontinuity) discontinuities += 1;
        startedAtMs ??= wallMs;
        lastSegmentAtMs = wallMs + entry.durationUs / 1000;
        if (entry.facts?.gap === undefined) return;
        gapCount += 1;
        gaps.add({ ...entry.facts.gap, toMs: wallMs });
      },
      result: (ended, tornBytes): ArchiveSummary => ({
        type: header.type,
        ended,
        life: header.life,
        targetDurationSec: header.targetDurationSec,
        segmentCount,
        sizeBytes,
        durationSec: durationUs / 1e6,
        startedAtMs,
        lastSegmentAtMs,
        discontinuities,
        gapCount,
        gaps: gaps.list(),
        tornBytes,
      }),
    };
  });
  return summary ?? missing(storage);
}

/** The newest gaps of many, newest last. */
export class NewestGaps {
  #gaps: Gap[];

  constructor(gaps: readonly Gap[] = []) {
    this.#gaps = gaps.slice(-MAX_GAPS);
  }

  add(gap: Gap): void {
    this.#gaps.push(gap);
    // In batches, so that a long row of gaps is not moved for each.
    if (this.#gaps.length >= 2 * MAX_GAPS) this.#gaps = this.list();
  }

  /** Forgets gaps that end before `ms`: the entries that told of them are gone. */
  dropBefore(ms: number): void {
    this.#gaps = this.#gaps.filter((gap) => gap.toMs >= ms);
  }

  list(): Gap[] {
    return this.#gaps.slice(-MAX_GAPS);
  }
}

function missing(storage: StreamStorage): never {
  throw new LivetapeError('STREAM_NOT_FOUND', `there is no playlist in ${storage.location}`, { context: { location: storage.location } });
}
