/**
 * Reads what stands before the first entry of a playlist, ours or another system's.
 */
import { LivetapeError } from '../base/index.js';
import { corrupt, linesOf, livetapePairs, parseCount, splitTag, type Line } from './lines.js';
import { FORMAT, type PlaylistHeader, type PlaylistType } from './playlist.js';

/** Tags that belong to a segment (RFC 8216, 4.3.2; rfc8216bis, 4.4.4): the header ends before the first of them. */
const SEGMENT_TAGS = new Set([
  '#EXTINF',
  '#EXT-X-BYTERANGE',
  '#EXT-X-DISCONTINUITY',
  '#EXT-X-KEY',
  '#EXT-X-MAP',
  '#EXT-X-PROGRAM-DATE-TIME',
  '#EXT-X-DATERANGE',
  '#EXT-X-GAP',
  '#EXT-X-BITRATE',
  '#EXT-X-PART',
  '#EXT-X-ENDLIST',
]);

/** A header and where it ends. */
export interface HeaderChunk {
  readonly header: PlaylistHeader;
  /** Where the first entry begins. */
  readonly toByte: number;
  /** Lines of the header. */
  readonly lines: number;
}

interface Draft {
  version: number;
  targetDurationSec: number | undefined;
  mediaSequence: number;
  discontinuitySequence: number;
  type: PlaylistType | undefined;
  unknownTags: string[];
}

/**
 * The header at the beginning of a playlist.
 * @param bytes - the playlist from its first byte on
 * @param whole - whether `bytes` is all there is; else a header that does not end in it is undefined
 * @throws LivetapeError ARCHIVE_CORRUPT, with the line; ARCHIVE_FORMAT_NEWER when a later Livetape wrote it
 */
export function parseHeader(bytes: Uint8Array, whole: boolean): HeaderChunk | undefined {
  const draft: Draft = {
    version: 1,
    targetDurationSec: undefined,
    mediaSequence: 0,
    discontinuitySequence: 0,
    type: undefined,
    unknownTags: [],
  };
  let toByte = 0;
  let lines = 0;
  for (const line of linesOf(bytes)) {
    const fail = (why: string): LivetapeError => corrupt({ line: 1 }, line, why);
    if (line.number === 0) {
      if (line.text !== '#EXTM3U') throw fail('a playlist begins with #EXTM3U');
    } else {
      if (/\p{Cc}/u.test(line.text)) throw fail('it holds control characters');
      const pairs = livetapePairs(line.text, fail);
      // Ours is the last line of a header: what follows it belongs to the first entry, whatever it is.
      if (pairs?.has('format') === true) {
        return { header: finish(draft, ours(pairs, fail), fail), toByte: line.toByte, lines: line.number + 1 };
      }
      if (beginsEntry(line)) return { header: finish(draft, undefined, fail), toByte: line.fromByte, lines: line.number };
      readTag(draft, line.text, fail);
    }
    toByte = line.toByte;
    lines = line.number + 1;
  }
  if (!whole) return undefined;
  const end: Line = { text: '', fromByte: toByte, toByte, number: lines };
  const fail = (why: string): LivetapeError => corrupt({ line: 1 }, end, why);
  if (lines === 0) throw fail('a playlist begins with #EXTM3U');
  return { header: finish(draft, undefined, fail), toByte, lines };
}

function beginsEntry(line: Line): boolean {
  if (line.text === '') return false;
  return !line.text.startsWith('#') || line.text.startsWith('#livetape ') || SEGMENT_TAGS.has(splitTag(line.text).name);
}

function readTag(draft: Draft, text: string, fail: (why: string) => Error): void {
  const { name, value } = splitTag(text);
  const count = (): number => {
    const number = parseCount(value.trim());
    if (number === undefined) throw fail('its value is not a whole number');
    return number;
  };
  switch (name) {
    case '':
      return;
    case '#EXT-X-VERSION':
      draft.version = count();
      return;
    case '#EXT-X-TARGETDURATION':
      draft.targetDurationSec = count();
      return;
    case '#EXT-X-MEDIA-SEQUENCE':
      draft.mediaSequence = count();
      return;
    case '#EXT-X-DISCONTINUITY-SEQUENCE':
      draft.discontinuitySequence = count();
      return;
    case '#EXT-X-PLAYLIST-TYPE':
      if (value !== 'EVENT' && value !== 'VOD') throw fail('a playlist is EVENT or VOD');
      draft.type = value;
      return;
    default:
      draft.unknownTags.push(text);
  }
}

interface Ours {
  readonly life: number;
  readonly unknownKeys: readonly string[];
}

function ours(pairs: Map<string, string>, fail: (why: string) => Error): Ours {
  const format = parseCount(pairs.get('format'));
  if (format === undefined || format < 1) throw fail('its format is not a number');
  if (format > FORMAT) {
    throw new LivetapeError('ARCHIVE_FORMAT_NEWER', `the playlist has format ${format}; this program knows formats up to ${FORMAT}`, {
      context: { format },
    });
  }
  const life = parseCount(pairs.get('life'));
  if (life === undefined) throw fail('it names no life');
  const unknownKeys = [...pairs].filter(([key]) => key !== 'format' && key !== 'life').map(([key, value]) => `${key}=${value}`);
  return { life, unknownKeys };
}

function finish(draft: Draft, mine: Ours | undefined, fail: (why: string) => Error): PlaylistHeader {
  const { targetDurationSec } = draft;
  // REQUIRED in every media playlist (RFC 8216, 4.3.3.1)
  if (targetDurationSec === undefined) throw fail('the header has no EXT-X-TARGETDURATION before');
  return { ...draft, targetDurationSec, life: mine?.life, unknownKeys: mine?.unknownKeys ?? [] };
}
