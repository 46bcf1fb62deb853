/**
 * The journal as a reader sees it at a moment: its header, its first and its last entry, and where they lie. What is between is read in pieces when it
 * is asked for. The writer goes on meanwhile and readers take no lock, so what was read of a journal holds only when it `stands` afterwards (P2).
 */
import { firstSequenceOf, startOf } from '../../archive/index.js';
import { invariant, LivetapeError } from '../../base/index.js';
import {
  parseEntries,
  parseHeader,
  type EntryFacts,
  type HeaderChunk,
  type LocatedEntry,
  type PlaylistEntry,
  type PlaylistHeader,
} from '../../hls/index.js';
import type { StreamStorage } from '../../storage/index.js';

/** Some fifty entries of ours, some hundreds of another system's: parsed in a few milliseconds, and in ten where the code is still cold (P5). */
export const PIECE_BYTES = 16 * 1024;
/** The first look at the head and at the tail; doubled until it holds what is looked for. */
const FIRST_LOOK_BYTES = 8 * 1024;
/** No header is longer. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** What a Date holds. */
const MAX_TIME_MS = 8.64e15;

/**
 * Where an entry lies and what follows from those before it. `at` is a byte's address that a prune does not change: the place in the file plus
 * the journal's `shift`.
 */
export interface Cursor {
  readonly at: number;
  readonly sequence: number;
  /** Before it: its own tag is not counted. Not known (and not needed) in a journal whose entries say theirs. */
  readonly discontinuitySequence: number;
  /** When it begins, should it not say so. */
  readonly wallMs: number;
  /** When the entry before it ended. Not known (and not needed) in a journal whose entries tell their gaps. */
  readonly endedMs: number;
}

/** An entry with all that follows from its place. */
export interface PlacedEntry {
  readonly entry: PlaylistEntry;
  readonly sequence: number;
  /** Its own tag counted. */
  readonly discontinuitySequence: number;
  readonly wallMs: number;
  readonly endMs: number;
  /** As in Cursor. */
  readonly endedMs: number;
  readonly at: number;
  readonly toAt: number;
  /** Its lines as they stand there. */
  readonly bytes: Uint8Array;
}

/** A journal at a moment; a value. */
export interface Journal {
  readonly storage: StreamStorage;
  readonly header: PlaylistHeader;
  /** The header and the first entry as they stand there: no replacement leaves both as they were. */
  readonly head: Uint8Array;
  /** Begun by another system: its entries do not say their sequence numbers, nor each its time. */
  readonly foreign: boolean;
  /** What is added to a byte of the file for its address. */
  readonly shift: number;
  readonly first: PlacedEntry;
  readonly last: PlacedEntry;
  /** EXT-X-ENDLIST stands after the last entry. */
  readonly ended: boolean;
}

/** The journal was replaced while it was read: what was read is of no journal. */
export class JournalMoved extends Error {}

/** What was read of a journal at once. */
export interface Piece {
  readonly entries: readonly PlacedEntry[];
  /** Behind the last of them. */
  readonly next: Cursor;
  /** There is nothing more, or not yet. */
  readonly isEnd: boolean;
  /** EXT-X-ENDLIST stands at the end. */
  readonly ended: boolean;
}

/** What holds of all entries of a journal. */
type Ground = Pick<Journal, 'storage' | 'foreign' | 'shift'>;

/** Lets others run. */
export function giveWay(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Whether the journal is still the one that it was; it may have grown. */
export async function stands({ storage, head }: Pick<Journal, 'storage' | 'head'>): Promise<boolean> {
  return Buffer.compare(await storage.readJournal(0, head.byteLength), head) === 0;
}

/**
 * The complete entries from `cursor` on, at least one where there is one before `toAt`.
 * @param lookBytes - read so much; more where an entry is longer
 */
export async function readPiece(ground: Ground, cursor: Cursor, toAt: number, lookBytes: number): Promise<Piece> {
  const fromByte = cursor.at - ground.shift;
  for (let look = lookBytes; ; look *= 2) {
    const toByte = Math.min(fromByte + look, toAt - ground.shift);
    const bytes = await ground.storage.readJournal(fromByte, toByte);
    const isEnd = bytes.byteLength < look;
    const chunk = parseEntries(bytes, true, { byte: fromByte });
    if (chunk.entries.length === 0 && !isEnd) continue;
    const entries = place(ground, chunk.entries, bytes, cursor);
    return { entries, next: behind(entries.at(-1)) ?? cursor, isEnd, ended: chunk.ended };
  }
}

/** The entry of ours whose lines are given, and which lies at `at`. */
export function readEntryAt(ground: Ground, bytes: Uint8Array, at: number): PlacedEntry {
  const located = parseEntries(bytes, true, { byte: at - ground.shift }).entries;
  const [only] = located;
  invariant(only !== undefined && located.length === 1, 'the lines are those of one entry');
  const { mediaSequence } = factsOf(only.entry);
  const cursor: Cursor = { at, sequence: mediaSequence, discontinuitySequence: NaN, wallMs: NaN, endedMs: NaN };
  const [placed] = place(ground, located, bytes, cursor);
  invariant(placed !== undefined, 'an entry has its place');
  return placed;
}

/** The cursor behind an entry. */
export function behind(entry: PlacedEntry): Cursor;
export function behind(entry: PlacedEntry | undefined): Cursor | undefined;
export function behind(entry: PlacedEntry | undefined): Cursor | undefined {
  if (entry === undefined) return undefined;
  const { sequence, discontinuitySequence, endMs, toAt } = entry;
  return { at: toAt, sequence: sequence + 1, discontinuitySequence, wallMs: endMs, endedMs: endMs };
}

/** The cursor at an entry. */
export function cursorOf({ at, sequence, discontinuitySequence, wallMs, endedMs, entry }: PlacedEntry): Cursor {
  return { at, sequence, discontinuitySequence: discontinuitySequence - (entry.discontinuity ? 1 : 0), wallMs, endedMs };
}

/** Bytes of `count` entries, as far as the journal's average tells. */
export function bytesFor(journal: Journal, count: number): number {
  const { first, last } = journal;
  const each = (last.toAt - first.at) / (last.sequence + 1 - first.sequence);
  return Math.min(PIECE_BYTES, Math.ceil(count * each * 1.05) + 1024);
}

function place(ground: Ground, located: readonly LocatedEntry[], bytes: Uint8Array, from: Cursor): PlacedEntry[] {
  let cursor = from;
  return located.map(({ entry, fromByte, toByte }) => {
    const facts = ground.foreign ? entry.facts : factsOf(entry);
    const sequence = facts?.mediaSequence ?? cursor.sequence;
    // In our playlists no number is left out (F10), so entries are found by counting.
    if (sequence !== cursor.sequence) {
      throw new LivetapeError(
        'ARCHIVE_CORRUPT',
        `playlist: ${entry.uri} has the media sequence ${sequence} where ${cursor.sequence} is due`,
      );
    }
    const wallMs = entry.wallMs ?? cursor.wallMs;
    if (!(wallMs <= MAX_TIME_MS)) throw new LivetapeError('ARCHIVE_CORRUPT', `playlist: nothing says when ${entry.uri} begins`);
    const placed: PlacedEntry = {
      entry,
      sequence,
      discontinuitySequence: facts?.discontinuitySequence ?? cursor.discontinuitySequence + (entry.discontinuity ? 1 : 0),
      wallMs,
      endMs: wallMs + entry.durationUs / 1000,
      endedMs: cursor.endedMs,
      at: from.at + fromByte,
      toAt: from.at + toByte,
      bytes: bytes.subarray(fromByte, toByte),
    };
    cursor = behind(placed);
    return placed;
  });
}

/** What an entry of ours says of itself. */
export function factsOf(entry: PlaylistEntry): EntryFacts {
  if (entry.facts !== undefined && entry.wallMs !== undefined) return entry.facts;
  const what = entry.facts === undefined ? '#livetape line' : 'date-time';
  throw new LivetapeError('ARCHIVE_CORRUPT', `playlist: the entry of ${entry.uri} has no ${what}`);
}

/**
 * The journal that stands there, if it `stands` afterwards; undefined where there is none, or none with an entry. What another system began is to be
 * gone through first: its `last` is its first.
 * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, or what the storage throws
 */
export async function openJournal(storage: StreamStorage): Promise<Journal | undefined> {
  const found = await readHead(storage);
  if (found === undefined) return undefined;
  const { chunk, bytes, toByte } = found;
  const firstBytes = bytes.subarray(chunk.toByte, toByte);
  const [located] = parseEntries(firstBytes, true, { byte: chunk.toByte, line: chunk.lines + 1 }).entries;
  if (located === undefined) return undefined;
  const { entry } = located;
  const ground: Ground = { storage, foreign: entry.facts === undefined, shift: 0 };
  const { discontinuitySequence } = chunk.header;
  const cursor: Cursor = {
    at: chunk.toByte,
    sequence: firstSequenceOf(chunk.header, entry),
    discontinuitySequence,
    wallMs: entry.wallMs ?? (ground.foreign ? await startOf(storage, entry) : NaN),
    endedMs: NaN,
  };
  const [first] = place(ground, [located], firstBytes.slice(), cursor);
  if (first === undefined) return undefined;
  const head = bytes.slice(0, toByte);
  const journal: Journal = { ...ground, header: chunk.header, head, first, last: first, ended: false };
  return ground.foreign ? journal : withTail(journal);
}

/**
 * A journal of ours as it is now, if it only grew; undefined when it was replaced, or what was its last entry is not there any more.
 */
export async function followJournal(journal: Journal): Promise<Journal | undefined> {
  if (!(await lastStands(journal))) return undefined;
  const grown = await withTail(journal);
  return (await stands(grown)) ? grown : undefined;
}

/** Whether the last entry still lies where it lay. What came is appended behind it. */
export async function lastStands({ storage, last, shift }: Journal): Promise<boolean> {
  return Buffer.compare(await storage.readJournal(last.at - shift, last.toAt - shift), last.bytes) === 0;
}

/** With the last entry that is there now: the next ones in order where they are few, else those at the end. */
async function withTail(journal: Journal): Promise<Journal> {
  const { storage, shift, last } = journal;
  const size = (await storage.journalSize()) ?? 0;
  if (size - (last.toAt - shift) <= FIRST_LOOK_BYTES) {
    const piece = await readPiece(journal, behind(last), Infinity, 2 * FIRST_LOOK_BYTES);
    return { ...journal, last: kept(piece.entries.at(-1)) ?? last, ended: piece.ended };
  }
  for (let look = FIRST_LOOK_BYTES; ; look *= 2) {
    const fromByte = Math.max(last.toAt - shift, size - look);
    const bytes = await storage.readJournal(fromByte, size);
    const atEntry = fromByte === last.toAt - shift;
    const chunk = parseEntries(bytes, atEntry, { byte: fromByte });
    const newest = chunk.entries.at(-1);
    if (newest === undefined) {
      if (atEntry) return { ...journal, ended: chunk.ended };
      continue;
    }
    const facts = factsOf(newest.entry);
    const cursor: Cursor = { at: fromByte + shift, sequence: facts.mediaSequence, discontinuitySequence: NaN, wallMs: NaN, endedMs: NaN };
    return { ...journal, last: kept(place(journal, [newest], bytes, cursor)[0]) ?? last, ended: chunk.ended };
  }
}

/** With bytes of its own, so that it does not hold the piece that it was read in. */
function kept(entry: PlacedEntry | undefined): PlacedEntry | undefined {
  return entry && { ...entry, bytes: entry.bytes.slice() };
}

interface Head {
  readonly chunk: HeaderChunk;
  readonly bytes: Uint8Array;
  /** Where the first entry ends. */
  readonly toByte: number;
}

async function readHead(storage: StreamStorage): Promise<Head | undefined> {
  for (let look = FIRST_LOOK_BYTES; ; look *= 2) {
    const bytes = await storage.readJournal(0, look);
    const whole = bytes.byteLength < look;
    // The writer has just made the file.
    if (bytes.byteLength === 0) return undefined;
    const chunk = parseHeader(bytes, whole);
    const toByte = chunk && entryEnd(bytes, chunk.toByte);
    if (chunk !== undefined && toByte !== undefined) return { chunk, bytes, toByte };
    if (whole) return undefined;
    if (look >= MAX_HEADER_BYTES) throw new LivetapeError('ARCHIVE_CORRUPT', `playlist: no segment within ${MAX_HEADER_BYTES} bytes`);
  }
}

/** Where the entry that begins at `fromByte` ends: behind the first line that is neither empty nor begins with `#`. */
function entryEnd(bytes: Uint8Array, fromByte: number): number | undefined {
  for (let at = fromByte; ;) {
    const newline = bytes.indexOf(0x0a, at);
    if (newline < 0) return undefined;
    const isEmpty = newline === at || (newline === at + 1 && bytes[at] === 0x0d);
    if (!isEmpty && bytes[at] !== 0x23) return newline + 1;
    at = newline + 1;
  }
}
