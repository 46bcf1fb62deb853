/**
 * How a recording writes its archive: segments are opened one after another, each is given bytes and then
 * committed with what is known of it. Commits are carried out in the order they were asked for.
 */
import type { Closable } from '../base/index.js';
import type { Gap } from '../model/index.js';
import type { Healed } from './healed.js';

/** Where a random access point lies in a segment. */
export interface Keyframe {
  /** From the start of the file (inserted tables counted) to the packet in which the access unit begins. */
  readonly offsetBytes: number;
  /** Raw 33-bit ticks. */
  readonly pts90k: number;
}

/** What is known of a segment when it ends; docs/design/data-format.md says how each is written. */
export interface SegmentFacts {
  readonly discontinuity: boolean;
  /** Wall time of its beginning; UTC milliseconds, may have a fraction (rounded down when written). */
  readonly wallMs: number;
  /** Length of its media in 90 kHz ticks. */
  readonly duration90k: number;
  /** First presentation time stamp and the end; raw 33-bit ticks. */
  readonly pts: { readonly first90k: number; readonly end90k: number } | undefined;
  readonly keyframes: readonly Keyframe[];
  /** Bytes of inserted tables in front. */
  readonly headBytes: number;
  /** It does not begin at a random access point although the stream has video. */
  readonly forced: boolean;
  /** Bytes received and left out just before it. */
  readonly lostBytes: number;
  readonly errors: {
    readonly continuity: number;
    readonly transportError: number;
    readonly syncSkippedBytes: number;
    readonly scrambled: number;
  };
  /** The gap before it. Its `toMs` is `wallMs`. */
  readonly gap: Gap | undefined;
}

/** A committed segment, as in its journal entry. */
export interface CommittedSegment extends SegmentFacts {
  /** Its number, from which nothing follows: `uri` names the file. */
  readonly index: number;
  readonly uri: string;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly sizeBytes: number;
  readonly cumulativeBytes: number;
  readonly crc32: number;
  /** Of the ownership in which it was written; 0 where the entry does not say. */
  readonly epoch: number;
}

/** A segment being written. */
export interface SegmentWriter {
  readonly index: number;
  /** Appends; `bytes` must not change until the promise is kept. After a failure every call rejects with the same error. */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Makes it durable and enters it into the journal, after all that were committed before it. Where one of those failed, the entry
   * carries a discontinuity and, when more than a second is missing, a gap over all of it: with the reason of `facts.gap`,
   * else that of a gap which a lost segment would have told of, else `disk`.
   * A segment whose file is durable but whose entry failed stays as a file that no entry names.
   */
  commit(facts: SegmentFacts): Promise<CommittedSegment>;
  /** Gives it up. Its number is not used again. What was given to it counts as lost: the next entry carries a discontinuity. Never rejects. */
  abort(): Promise<void>;
}

/** Sums over the entries of an archive. */
export interface ArchiveTotals {
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** Beginning of the oldest segment; UTC milliseconds. */
  readonly startedAtMs: number | undefined;
  /** The newest 1,000, newest last. */
  readonly gaps: readonly Gap[];
}

/** What may go. Limits are independent: what one of them does not let stay goes. */
export interface PruneLimits {
  /** Segments that ended before this; UTC milliseconds of trusted time. */
  readonly endedBeforeMs?: number | undefined;
  /** What the rest may have in all. */
  readonly maxBytes?: number | undefined;
  /** At least so much, whatever it is: the disk is short of it. */
  readonly freeBytes?: number | undefined;
  /** Files go at once, without the grace: the disk is full. */
  readonly atOnce?: boolean | undefined;
  /** How long files wait at least, for viewers whose playlists reach so far back (K8). */
  readonly graceMs?: number | undefined;
}

/** What has left the playlist. */
export interface Pruned {
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** Files that were removed without their grace. */
  readonly early: number;
}

/** One stream's archive, open for writing. `close()` leaves the life open: the next start resumes it. */
export interface ArchiveWriter extends Closable {
  /** The folder or URL. */
  readonly location: string;
  /** The newest entry, or undefined in an empty archive. After open; kept up to date by commits. */
  readonly last: CommittedSegment | undefined;
  /** The open life, to be resumed; undefined when the archive is new or stopped: then `beginLife` comes before the first commit. */
  readonly life: { readonly targetDurationSec: number } | undefined;
  /** Of the entries kept; the newest gaps, newest last. */
  readonly totals: ArchiveTotals;
  /** What was found wrong on opening, and what was done about it. */
  readonly healed: readonly Healed[];
  /** How often index.json could not be written: a cache, so nothing else comes of it. */
  readonly indexFailures: number;
  /**
   * Begins a new life after all commits asked for so far, ending the open one (VOD, ENDLIST) if there is one. The header is written
   * with the next commit's entry. The target is raised to that of the earlier life where its entries are kept.
   */
  beginLife(targetDurationSec: number): Promise<void>;
  /** Begins a segment. Synchronous: failures show in its promises. */
  openSegment(): SegmentWriter;
  /**
   * Lets the oldest entries go that `limits` do not let stay, after all commits asked for so far: nothing while that is less than a batch (K9). Their files
   * follow after the grace. Three target durations of an open life stay, and the newest segment in any case. A life of type EVENT ends by it.
   */
  prune(limits: PruneLimits): Promise<Pruned>;
  /** Files of pruned segments that wait for the end of their grace, and those that could not be removed. */
  readonly pruning: { readonly waitingBytes: number; readonly idle: boolean; readonly failures: number };
  /** Ends the life: VOD and ENDLIST, after all commits asked for so far. */
  stop(): Promise<void>;
}
