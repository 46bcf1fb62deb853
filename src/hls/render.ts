/**
 * Playlist text from values, byte for byte as docs/design/data-format.md states it.
 */
import { FORMAT, type EntryFacts, type PlaylistEntry, type PlaylistHeader } from './playlist.js';

/** The line that ends a finished playlist (RFC 8216, 4.3.3.4). */
export const ENDLIST = '#EXT-X-ENDLIST\n';

/** Everything before the first entry. */
export function renderHeader(header: PlaylistHeader): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${header.version}`,
    `#EXT-X-TARGETDURATION:${header.targetDurationSec}`,
    `#EXT-X-MEDIA-SEQUENCE:${header.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${header.discontinuitySequence}`,
  ];
  if (header.type !== undefined) lines.push(`#EXT-X-PLAYLIST-TYPE:${header.type}`);
  lines.push(...header.unknownTags);
  if (header.life !== undefined) lines.push(['#livetape', `format=${FORMAT}`, `life=${header.life}`, ...header.unknownKeys].join(' '));
  return `${lines.join('\n')}\n`;
}

/** One segment's lines, the URI and its newline last (F6). */
export function renderEntry(entry: PlaylistEntry): string {
  const lines: string[] = [];
  if (entry.discontinuity) lines.push('#EXT-X-DISCONTINUITY');
  if (entry.wallMs !== undefined) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(entry.wallMs).toISOString()}`);
  lines.push(...entry.unknownTags);
  lines.push(`#EXTINF:${Math.floor(entry.durationUs / 1e6)}.${String(entry.durationUs % 1e6).padStart(6, '0')},`);
  if (entry.facts !== undefined) lines.push(renderFacts(entry.facts));
  lines.push(entry.uri);
  return `${lines.join('\n')}\n`;
}

function renderFacts(facts: EntryFacts): string {
  const pairs = [
    '#livetape',
    `n=${facts.index}`,
    `seq=${facts.mediaSequence}`,
    `dseq=${facts.discontinuitySequence}`,
    `size=${facts.sizeBytes}`,
    `end=${facts.cumulativeBytes}`,
    `crc=${facts.crc32.toString(16).padStart(8, '0')}`,
  ];
  if (facts.pts !== undefined) pairs.push(`pts=${facts.pts.first90k}-${facts.pts.end90k}`);
  if (facts.keyframes.length > 0) pairs.push(`keys=${facts.keyframes.map((key) => `${key.offsetBytes}@${key.pts90k}`).join(',')}`);
  if (facts.headBytes > 0) pairs.push(`head=${facts.headBytes}`);
  if (facts.forced) pairs.push('cut=forced');
  if (facts.lostBytes > 0) pairs.push(`lost=${facts.lostBytes}`);
  if (facts.errors.continuity > 0) pairs.push(`cc=${facts.errors.continuity}`);
  if (facts.errors.transportError > 0) pairs.push(`tei=${facts.errors.transportError}`);
  if (facts.errors.syncSkippedBytes > 0) pairs.push(`sync=${facts.errors.syncSkippedBytes}`);
  if (facts.errors.scrambled > 0) pairs.push(`scr=${facts.errors.scrambled}`);
  if (facts.gap !== undefined) pairs.push(`gap=${facts.gap.fromMs}`, `why=${facts.gap.reason}`);
  if (facts.epoch > 0) pairs.push(`epoch=${facts.epoch}`);
  return [...pairs, ...facts.unknownKeys].join(' ');
}
