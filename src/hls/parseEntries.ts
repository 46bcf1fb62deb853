/**
 * Reads entries from any stretch of a playlist: the whole, a tail, a window. What is not a complete entry at
 * the end is not an entry (F6), so nothing in it is an error; where it begins is told.
 */
import { GAP_REASONS } from '../model/index.js';
import { corrupt, linesOf, livetapePairs, parseCount, splitTag, type Line, type Origin } from './lines.js';
import type { EntryFacts, PlaylistEntry } from './playlist.js';

/** An entry and where it stands, relative to the bytes that were given. */
export interface LocatedEntry {
  readonly entry: PlaylistEntry;
  readonly fromByte: number;
  /** After the newline of its URI line. */
  readonly toByte: number;
}

/** What a stretch of a playlist holds. */
export interface EntryChunk {
  readonly entries: readonly LocatedEntry[];
  /** Where the last complete entry ends: go on reading, or writing, from here. 0 when there is none. */
  readonly toByte: number;
  /** Lines up to there. */
  readonly lines: number;
  /** EXT-X-ENDLIST stands after the last complete entry. */
  readonly ended: boolean;
  /** Bytes after the last complete entry that are not EXT-X-ENDLIST: a torn entry, or one that is still being written. */
  readonly tornBytes: number;
}

/**
 * The complete entries in `bytes`.
 * @param atEntry - whether `bytes` begins where an entry does; else its first line, and all up to the next URI line, is passed over
 * @throws LivetapeError ARCHIVE_CORRUPT, with the line (or the byte, when the line is not known), where an entry cannot be read
 */
export function parseEntries(bytes: Uint8Array, atEntry: boolean, origin: Origin = {}): EntryChunk {
  const entries: LocatedEntry[] = [];
  let pending: Line[] = [];
  let passedOver = !atEntry;
  let toByte = 0;
  let lines = 0;
  let ended = false;
  let endlistTo = 0;
  for (const line of linesOf(bytes)) {
    // The stretch may begin in the middle of a line, and the rest of a tag looks like a URI.
    if (line.number === 0 && !atEntry) continue;
    if (line.text === '' || line.text === '#EXT-X-ENDLIST') {
      if (line.text !== '') {
        ended = pending.length === 0;
        endlistTo = line.toByte;
      }
      continue;
    }
    pending.push(line);
    if (line.text.startsWith('#')) continue;
    if (!passedOver) entries.push({ entry: readEntry(pending, origin), fromByte: toByte, toByte: line.toByte });
    passedOver = false;
    pending = [];
    toByte = line.toByte;
    lines = line.number + 1;
    ended = false;
  }
  // A last line without its newline is complete only when it says that there is nothing more.
  const rest = bytes.subarray(Math.max(toByte, ended ? endlistTo : 0));
  if (!ended && pending.length === 0 && new TextDecoder('latin1').decode(rest.subarray(0, 32)).trim() === '#EXT-X-ENDLIST') {
    return { entries, toByte, lines, ended: true, tornBytes: 0 };
  }
  return { entries, toByte, lines, ended, tornBytes: rest.byteLength };
}

function readEntry(lines: readonly Line[], origin: Origin): PlaylistEntry {
  let discontinuity = false;
  let wallMs: number | undefined;
  let durationUs: number | undefined;
  let facts: EntryFacts | undefined;
  let uri = '';
  const unknownTags: string[] = [];
  for (const line of lines) {
    const fail = (why: string): Error => corrupt(origin, line, why);
    // RFC 8216, 4.1: no control characters but those that end lines
    if (/\p{Cc}/u.test(line.text)) throw fail('it holds control characters');
    if (!line.text.startsWith('#')) {
      uri = line.text;
      continue;
    }
    const pairs = livetapePairs(line.text, fail);
    if (pairs !== undefined) {
      if (facts !== undefined) throw fail('the entry has two #livetape lines');
      facts = readFacts(pairs, fail);
      continue;
    }
    const { name, value } = splitTag(line.text);
    if (name === '#EXTINF') durationUs = readDuration(value, fail);
    else if (name === '#EXT-X-PROGRAM-DATE-TIME') wallMs = readTime(value, fail);
    else if (line.text === '#EXT-X-DISCONTINUITY') discontinuity = true;
    else unknownTags.push(line.text);
  }
  const last = lines.at(-1);
  if (durationUs === undefined && last !== undefined) throw corrupt(origin, last, 'the segment has no EXTINF');
  return { discontinuity, wallMs, durationUs: durationUs ?? 0, uri, facts, unknownTags };
}

function readDuration(value: string, fail: (why: string) => Error): number {
  const match = /^(\d{1,9})(?:\.(\d{1,20}))?\s*(?:,|$)/.exec(value);
  if (match === null) throw fail('its duration is not a number');
  return Number(match[1]) * 1e6 + Math.round(Number(`0.${match[2] ?? '0'}`) * 1e6);
}

function readTime(value: string, fail: (why: string) => Error): number {
  // ISO 8601 as RFC 8216, 4.3.2.6 recommends it; Go writes up to nine decimals.
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/.exec(value);
  const zone = match?.[3]?.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2') ?? '';
  // Cut, not rounded: Date.parse of more than three decimals is left to the engine.
  const ms = match === null ? NaN : Date.parse(`${match[1]}${(match[2] ?? '').slice(0, 4)}${zone}`);
  if (Number.isNaN(ms)) throw fail('its time is not a date-time with a zone');
  return ms;
}

const KNOWN_KEYS = new Set('n seq dseq size end crc pts keys head cut lost cc tei sync scr gap why epoch'.split(' '));

function readFacts(pairs: Map<string, string>, fail: (why: string) => Error): EntryFacts {
  const count = (key: string, absent?: number): number => {
    const text = pairs.get(key);
    const value = text === undefined ? absent : parseCount(text);
    if (value === undefined) throw fail(text === undefined ? `it has no "${key}"` : `"${key}" is not a whole number`);
    return value;
  };
  const crc = pairs.get('crc');
  if (crc === undefined || !/^[0-9a-f]{8}$/.test(crc)) throw fail('"crc" is not eight hex digits');
  const cut = pairs.get('cut');
  if (cut !== undefined && cut !== 'forced') throw fail('"cut" is something other than forced');
  return {
    index: count('n'),
    mediaSequence: count('seq'),
    discontinuitySequence: count('dseq'),
    sizeBytes: count('size'),
    cumulativeBytes: count('end'),
    crc32: Number.parseInt(crc, 16),
    pts: readPts(pairs.get('pts'), fail),
    keyframes: readKeyframes(pairs.get('keys'), fail),
    headBytes: count('head', 0),
    forced: cut === 'forced',
    lostBytes: count('lost', 0),
    errors: {
      continuity: count('cc', 0),
      transportError: count('tei', 0),
      syncSkippedBytes: count('sync', 0),
      scrambled: count('scr', 0),
    },
    gap: readGap(pairs, fail),
    epoch: count('epoch', 0),
    unknownKeys: [...pairs].filter(([key]) => !KNOWN_KEYS.has(key)).map(([key, value]) => `${key}=${value}`),
  };
}

function readPts(text: string | undefined, fail: (why: string) => Error): EntryFacts['pts'] {
  if (text === undefined) return undefined;
  const [first, end, ...more] = text.split('-').map(parseCount);
  if (first === undefined || end === undefined || more.length > 0) throw fail('"pts" is not first-end');
  return { first90k: first, end90k: end };
}

function readKeyframes(text: string | undefined, fail: (why: string) => Error): EntryFacts['keyframes'] {
  if (text === undefined) return [];
  return text.split(',').map((key) => {
    const [offsetBytes, pts90k, ...more] = key.split('@').map(parseCount);
    if (offsetBytes === undefined || pts90k === undefined || more.length > 0) throw fail('"keys" is not a list of offset@pts');
    return { offsetBytes, pts90k };
  });
}

function readGap(pairs: Map<string, string>, fail: (why: string) => Error): EntryFacts['gap'] {
  const from = pairs.get('gap');
  const why = pairs.get('why');
  if (from === undefined && why === undefined) return undefined;
  const fromMs = parseCount(from);
  const reason = GAP_REASONS.find((known) => known === why);
  if (fromMs === undefined || reason === undefined) throw fail('"gap" and "why" are not a time and a reason');
  return { fromMs, reason };
}
