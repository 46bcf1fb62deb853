/**
 * Text of the media playlists that clients are sent: the header of any of them, and entries for time without media. Not the journal's
 * text (render.ts): nothing of ours stands in it (P13).
 */
import type { PlaylistType } from './playlist.js';

/** What stands before the first entry of a playlist for clients. */
export interface MediaHeader {
  /** EXT-X-VERSION of what the entries need; the header's own needs are added. */
  readonly version: number;
  readonly targetDurationSec: number;
  /** Of the first entry, a skipped one too. */
  readonly mediaSequence: number;
  /** Of the first entry, less one when that carries the tag (F10). */
  readonly discontinuitySequence: number;
  readonly type: PlaylistType | undefined;
  /** EXT-X-START: where to begin, milliseconds after the beginning of the first entry, precisely. */
  readonly startMs: number | undefined;
  /** EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL, seconds. */
  readonly canSkipUntilSec: number | undefined;
  /** EXT-X-SKIP: how many of the first entries are left out; 0 for none. */
  readonly skippedSegments: number;
}

/** EXT-X-SKIP needs this EXT-X-VERSION (rfc8216bis, 8). */
const SKIP_VERSION = 9;
/** EXT-X-GAP needs this EXT-X-VERSION (rfc8216bis, 8). */
export const GAP_VERSION = 8;

/** Everything before the first entry. */
export function renderMediaHeader(header: MediaHeader): string {
  const { skippedSegments, startMs, canSkipUntilSec } = header;
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${skippedSegments > 0 ? Math.max(header.version, SKIP_VERSION) : header.version}`,
    `#EXT-X-TARGETDURATION:${header.targetDurationSec}`,
    `#EXT-X-MEDIA-SEQUENCE:${header.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${header.discontinuitySequence}`,
  ];
  if (header.type !== undefined) lines.push(`#EXT-X-PLAYLIST-TYPE:${header.type}`);
  if (startMs !== undefined) lines.push(`#EXT-X-START:TIME-OFFSET=${(startMs / 1000).toFixed(3)},PRECISE=YES`);
  if (canSkipUntilSec !== undefined) lines.push(`#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=${canSkipUntilSec.toFixed(1)}`);
  if (skippedSegments > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skippedSegments}`);
  return `${lines.join('\n')}\n`;
}

/** A span of wall time in which there is no media (rfc8216bis, 4.4.4.7): clients do not ask for its URI, which names nothing. */
export function renderGapEntry(fromMs: number, durationMs: number): string {
  return `#EXT-X-GAP\n#EXT-X-PROGRAM-DATE-TIME:${new Date(fromMs).toISOString()}\n#EXTINF:${(durationMs / 1000).toFixed(6)},\ngap-${fromMs}.ts\n`;
}
