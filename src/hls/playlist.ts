/**
 * What a playlist says, as values: the header and the entries of docs/design/data-format.md. Text is made of
 * them by render.ts and read by parseHeader.ts and parseEntries.ts.
 */
import type { GapReason } from '../model/index.js';

/** The `format` that this program writes, and the newest that it reads. */
export const FORMAT = 1;

/** EXT-X-PLAYLIST-TYPE (RFC 8216, 4.3.3.5). */
export type PlaylistType = 'EVENT' | 'VOD';

/** Everything before the first entry. */
export interface PlaylistHeader {
  /** EXT-X-VERSION */
  readonly version: number;
  readonly targetDurationSec: number;
  /** Of the first entry. */
  readonly mediaSequence: number;
  /** Of the first entry, less one when that carries the tag (F10). */
  readonly discontinuitySequence: number;
  readonly type: PlaylistType | undefined;
  /** Undefined in a playlist that was not written by Livetape. */
  readonly life: number | undefined;
  /** Whole lines that we know nothing of, in their order (F9). */
  readonly unknownTags: readonly string[];
  /** `key=value` pairs of the `#livetape` line that we know nothing of (F9). */
  readonly unknownKeys: readonly string[];
}

/** One segment's lines. */
export interface PlaylistEntry {
  readonly discontinuity: boolean;
  /** EXT-X-PROGRAM-DATE-TIME, UTC milliseconds, whole; undefined where the entry has none (playlists of other systems). */
  readonly wallMs: number | undefined;
  /** EXTINF in microseconds, whole. */
  readonly durationUs: number;
  readonly uri: string;
  /** The `#livetape` line; undefined where there is none. */
  readonly facts: EntryFacts | undefined;
  /** Whole lines that we know nothing of, in their order (F9). */
  readonly unknownTags: readonly string[];
}

/** The `#livetape` line of an entry. */
export interface EntryFacts {
  /** The segment's number. */
  readonly index: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly sizeBytes: number;
  /** Of all entries since the stream's first ever, this one counted. */
  readonly cumulativeBytes: number;
  readonly crc32: number;
  /** Raw 33-bit ticks. */
  readonly pts: { readonly first90k: number; readonly end90k: number } | undefined;
  readonly keyframes: readonly { readonly offsetBytes: number; readonly pts90k: number }[];
  readonly headBytes: number;
  readonly forced: boolean;
  readonly lostBytes: number;
  readonly errors: {
    readonly continuity: number;
    readonly transportError: number;
    readonly syncSkippedBytes: number;
    readonly scrambled: number;
  };
  /** The gap before it; it ends where the entry's date-time is. */
  readonly gap: { readonly fromMs: number; readonly reason: GapReason } | undefined;
  /** Of the ownership in which it was written; 0 where none is said. */
  readonly epoch: number;
  /** `key=value` pairs that we know nothing of, in their order (F9). */
  readonly unknownKeys: readonly string[];
}
