/**
 * What the parts of the read side tell each other. A timeline is what an archive holds at a moment; a request is what a viewer asked for,
 * whatever URL form it came in; an answer is a playlist. docs/design/playback.md says how each works.
 */
import type { Closable } from '../base/index.js';
import type { PlaylistType } from '../hls/index.js';
import type { Gap, StreamCode } from '../model/index.js';
import type { StreamStorage } from '../storage/index.js';

/** A committed segment as the journal tells it; what another system's journal leaves out is made up for as in archive/scan.ts. */
export interface TimelineEntry {
  /** Absolute: counted from the stream's first entry ever. Not the file's number. */
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  /** When it begins; UTC milliseconds. */
  readonly wallMs: number;
  readonly durationUs: number;
  /** The file. */
  readonly uri: string;
  /** Undefined in a journal that another system wrote; so are the rest. */
  readonly sizeBytes: number | undefined;
  /** Of all entries since the stream's first ever, this one counted. */
  readonly cumulativeBytes: number | undefined;
  readonly headBytes: number | undefined;
  readonly keyframes: readonly { readonly offsetBytes: number; readonly pts90k: number }[] | undefined;
  readonly pts: { readonly first90k: number; readonly end90k: number } | undefined;
  /** The gap before it. */
  readonly gap: Gap | undefined;
}

/**
 * An archive at a moment: a value that does not change, and that may be held for as long as a request lasts. Entries are named by their media sequence
 * number; `[from, to)` everywhere. An entry that was pruned meanwhile rejects with WINDOW_EXPIRED. What a call costs grows with what it is asked for and
 * with the logarithm of the depth. No call does more than 20 ms of work without letting others run.
 */
export interface Timeline {
  /** Differs whenever the journal does; for entity tags. Safe in a header. */
  readonly version: string;
  readonly targetDurationSec: number;
  /** EXT-X-VERSION of the journal. */
  readonly playlistVersion: number;
  readonly type: PlaylistType | undefined;
  /** The life is over: ENDLIST is there. */
  readonly ended: boolean;
  /** Entries have left the head. */
  readonly pruned: boolean;
  /** Media sequence of the oldest entry. */
  readonly firstSequence: number;
  /** One more than that of the newest. */
  readonly endSequence: number;
  /** When the oldest begins; UTC milliseconds. */
  readonly startMs: number;
  /** When the newest ends; UTC milliseconds. */
  readonly endMs: number;
  /** Of the media; undefined where another system's entries do not say. */
  readonly totalSizeBytes: number | undefined;
  /** The first entry that ends after `wallMs`; `endSequence` when there is none. In a gap: the entry after it. */
  at(wallMs: number): Promise<number>;
  /** The newest start from which the entries up to `endSequence` hold at least `durationMs` of media; `firstSequence` where there is less. */
  back(endSequence: number, durationMs: number): Promise<number>;
  /** One entry. */
  entry(sequence: number): Promise<TimelineEntry>;
  /** Entries with all their facts, in chunks, oldest first. */
  entries(fromSequence: number, toSequence: number): AsyncIterable<readonly TimelineEntry[]>;
  /** The lines of the entries as HLS clients get them: our comments left out, all other tags kept, each chunk whole lines. Joined text of past entries is shared: not to be written to. */
  text(fromSequence: number, toSequence: number): AsyncIterable<Uint8Array>;
  /** Gaps before entries of the range, oldest first. */
  gaps(fromSequence: number, toSequence: number): Promise<readonly { readonly sequence: number; readonly gap: Gap }[]>;
  /**
   * Gaps that reach into the window and entries in it over which errors were counted, at most `most` (1 or more) of each (G10). Unlike `gaps` it reads no entry that has none of both, but for
   * another system's, and what was searched is remembered.
   */
  marks(fromMs: number, toMs: number, most: number): Promise<ToldMarks>;
}

/** Errors that were counted over entries, as in their `#livetape` lines. */
export interface EntryErrors {
  readonly continuity: number;
  readonly transportError: number;
  readonly syncSkippedBytes: number;
  readonly scrambled: number;
  readonly lostBytes: number;
}

/** A gap, or several that are told as one: what media lies between them is told nowhere. */
export interface ToldGap extends Gap {
  /** How many they are. The reason is that of the longest, which lasted `longestMs`. */
  readonly count: number;
  readonly longestMs: number;
  /** What of the gaps themselves lies within the window. */
  readonly lostMs: number;
}

/** Entries over which errors were counted, one after the other, or with others between them where they would be too many. */
export interface ToldErrors {
  /** UTC milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** How many entries have errors. */
  readonly count: number;
  /** Of all of them. */
  readonly kinds: EntryErrors;
}

/** What is remarkable in a window, oldest first. */
export interface ToldMarks {
  readonly gaps: readonly ToldGap[];
  readonly errors: readonly ToldErrors[];
}

/** Timelines of streams, read from their journals as files. */
export interface Timelines {
  /**
   * What the archive of a stream holds now (at most REFRESH_MS ago).
   * @throws LivetapeError STREAM_NOT_FOUND, NOTHING_RECORDED, ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, STORAGE_FAILED
   */
  timeline(code: StreamCode): Promise<Timeline>;
  /** Bytes of memory that joined text and parsed entries hold, and streams that are remembered. */
  readonly stats: { readonly cachedBytes: number; readonly streams: number };
}

/** Where a stream's archive lies; undefined for a stream that is not known. */
export type PlaceOf = (code: StreamCode) => StreamStorage | undefined;

/** What a viewer asks of a stream, whatever URL form it came in. Times are UTC milliseconds. */
export type StreamRequest =
  /** The live edge; with `rewindMs` to go back. */
  | { readonly kind: 'live'; readonly rewindMs: number | undefined; readonly skip: boolean }
  /** Live, so much late. */
  | { readonly kind: 'delayed'; readonly delayMs: number; readonly skip: boolean }
  /** From a moment on: for `durationMs`, else up to now and growing. */
  | {
      readonly kind: 'window';
      readonly fromMs: number;
      readonly durationMs: number | undefined;
      readonly gaps: 'skip' | 'mark';
      readonly skip: boolean;
    }
  /** Everything there is. */
  | { readonly kind: 'archive' }
  /** A file of the archive. */
  | { readonly kind: 'segment'; readonly name: string }
  /** A window as one transport stream. */
  | { readonly kind: 'export'; readonly fromMs: number; readonly durationMs: number }
  /** The keyframe at or before a moment, as MP4. */
  | { readonly kind: 'preview'; readonly atMs: number }
  /** recording_status.json; with a window, and `ranges` in Flussonic's form when it asks for them. */
  | {
      readonly kind: 'status';
      readonly fromMs: number | undefined;
      readonly toMs: number | undefined;
      readonly ranges: boolean;
    }
  /** The live stream as continuous TS. */
  | { readonly kind: 'stream' };

/** A request that a playlist answers. */
export type PlaylistRequest = Extract<StreamRequest, { kind: 'live' | 'delayed' | 'window' | 'archive' }>;

/** A playlist, ready to be sent. */
export interface PlaylistAnswer {
  /** What it is to caches: `live` changes with every segment; `past` does not any more (but for retention). */
  readonly age: 'live' | 'past';
  /** Differs whenever the text would. Known before any text is made. Safe in a header. */
  readonly version: string;
  readonly targetDurationSec: number;
  /** How far back from now it reaches: files of pruned segments are kept that long for its viewers; milliseconds. */
  readonly reachMs: number;
  /** The text, in chunks of whole lines. Rejects with WINDOW_EXPIRED when its beginning was pruned meanwhile. */
  body(): AsyncIterable<Uint8Array>;
}

/** What bounds playlists. */
export interface PlaylistLimits {
  /** The least that a live playlist holds; milliseconds. Never less than three target durations. */
  readonly liveWindowMs: number;
  /** What one request may ask for; milliseconds. */
  readonly maxWindowMs: number;
}

/** A file of an archive, open: it can be read to its end even when it is pruned meanwhile. Close it. */
export interface SegmentFile extends Closable {
  readonly sizeBytes: number;
  /** Bytes [fromByte, toByte), in chunks that belong to the reader until it asks for the next (pooled). */
  read(fromByte: number, toByte: number): AsyncIterable<Uint8Array>;
}

/** What recording_status.json says. */
export interface ArchiveStatus {
  readonly status: 'recording' | 'stopped';
  /** Of the oldest segment; UTC milliseconds. */
  readonly startedAtMs: number;
  /** End of the newest; UTC milliseconds. */
  readonly lastSegmentAtMs: number;
  readonly segmentCount: number;
  readonly totalSizeBytes: number;
  /** The newest 1,000 (those within the window, where one is asked for), newest last. */
  readonly gaps: readonly Gap[];
  /** Spans with media (within the window), oldest first: what lies between the gaps. */
  readonly ranges: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** What there is of a window, for who draws it (G10). */
export interface ArchiveMarks extends ToldMarks {
  /** The window, not cut to what there is; UTC milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the whole archive; UTC milliseconds. */
  readonly startedAtMs: number;
  readonly lastSegmentAtMs: number;
  /** Spans with media within the window, oldest first: what lies between the gaps that are told. */
  readonly spans: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** An archive in a line. */
export interface ArchiveSummary {
  /** Of the oldest segment; UTC milliseconds. */
  readonly startedAtMs: number;
  /** End of the newest; UTC milliseconds. */
  readonly lastSegmentAtMs: number;
  readonly segmentCount: number;
  readonly totalSizeBytes: number;
  /** Gaps of the last 24 hours, and what of them lies within. */
  readonly lastDay: { readonly gaps: number; readonly gapMs: number };
}

/**
 * The read side of all streams. Every call may also reject with STREAM_NOT_FOUND, NOTHING_RECORDED, ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER and STORAGE_FAILED; calls with a time
 * with WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_IN_FUTURE, WINDOW_EXPIRED and WINDOW_TOO_LONG.
 */
export interface Playback extends Closable {
  readonly timelines: Timelines;
  /** The playlist that answers a request. */
  playlist(code: StreamCode, request: PlaylistRequest): Promise<PlaylistAnswer>;
  /** A segment's file. @throws LivetapeError SEGMENT_NOT_FOUND, also for a name that is none */
  segment(code: StreamCode, name: string): Promise<SegmentFile>;
  /** When a segment was, UTC milliseconds; undefined when no entry of the journal names it (any more). */
  spanOf(code: StreamCode, name: string): Promise<{ readonly fromMs: number; readonly toMs: number } | undefined>;
  /** A window as one transport stream, from the keyframe at or before its beginning. Holds nothing open until it is read. */
  exportTs(
    code: StreamCode,
    fromMs: number,
    durationMs: number,
  ): Promise<{
    readonly sizeBytes: number;
    /** How long it plays: from keyframe to keyframe, without the gaps in between. */
    readonly durationMs: number;
    body(): AsyncIterable<Uint8Array>;
  }>;
  /** The keyframe at or before a moment as a one-frame MP4. @throws LivetapeError PREVIEW_UNSUPPORTED for a codec that is neither H.264 nor H.265 */
  preview(
    code: StreamCode,
    atMs: number,
  ): Promise<{ readonly body: Uint8Array; /** When the frame was; UTC milliseconds. */ readonly wallMs: number }>;
  /** What the archive holds, of a window where one is given. */
  status(code: StreamCode, window?: { readonly fromMs: number; readonly toMs: number }): Promise<ArchiveStatus>;
  /**
   * Gaps and errors of a window, at most `most` of each, and the spans between the gaps: from the oldest segment to the end of the newest, where no window is said.
   * @throws LivetapeError ARGUMENT_INVALID when it ends before it begins
   */
  marks(
    code: StreamCode,
    window: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
    most: number,
  ): Promise<ArchiveMarks>;
  /** The archive in a line. */
  summary(code: StreamCode): Promise<ArchiveSummary>;
  /** Bytes of memory held, and how often a segment was found there. */
  readonly stats: {
    readonly timelineBytes: number;
    readonly segmentBytes: number;
    readonly segmentHits: number;
    readonly segmentMisses: number;
  };
}
