/**
 * Reads a playlist from end to end, block by block, so that memory does not grow with its depth. It gives
 * every entry what an entry of ours says by itself and other systems' leave out: its number, its sequence numbers,
 * its date-time (accumulated from the last that was given).
 */
import { LivetapeError, isLivetapeError } from '../base/index.js';
import { parseEntries, parseHeader, type HeaderChunk, type PlaylistEntry, type PlaylistHeader } from '../hls/index.js';
import type { StreamStorage } from '../storage/index.js';
import { loadIndex } from './archiveIndex.js';

/** Some three hundred entries: a few milliseconds of parsing at a time, and not more than 20 where the code is still cold … */
const BLOCK_BYTES = 64 * 1024;
/** … for which the first blocks are smaller, each twice the one before. */
const FIRST_BLOCK_BYTES = 8 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;
/** How often a reading begins anew because the playlist was replaced meanwhile. */
const MAX_RESTARTS = 5;

/** An entry with all that follows from its place. */
export interface ScannedEntry {
  readonly entry: PlaylistEntry;
  readonly index: number;
  readonly wallMs: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
}

/** Takes entries in, gives a result. */
export interface Fold<T> {
  add(entry: ScannedEntry): void;
  /** @param tornBytes - what stands after the last entry and is not one */
  result(ended: boolean, tornBytes: number): T;
}

/**
 * Folds all entries of a playlist; undefined where there is no playlist. `begin` is called again when the playlist was replaced during
 * the reading: readers take no lock.
 * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, or what the storage throws
 */
export async function scanJournal<T>(storage: StreamStorage, begin: (header: PlaylistHeader) => Fold<T>): Promise<T | undefined> {
  for (let restarts = 0; ; restarts++) {
    if ((await storage.journalSize()) === undefined) return undefined;
    const head = await readHeader(storage);
    let result: { value: T } | { error: unknown };
    try {
      result = { value: await scanOnce(storage, head.chunk, begin(head.chunk.header)) };
    } catch (error) {
      result = { error };
    }
    // Every replacement has another header, so one that is the same says that all blocks were of one playlist.
    const now = await storage.readJournal(0, head.bytes.byteLength);
    if (Buffer.compare(now, head.bytes) === 0 || restarts >= MAX_RESTARTS) {
      if ('error' in result) throw result.error;
      return result.value;
    }
  }
}

async function readHeader(storage: StreamStorage): Promise<{ chunk: HeaderChunk; bytes: Uint8Array }> {
  for (let look = BLOCK_BYTES; ; look *= 2) {
    const bytes = await storage.readJournal(0, look);
    const chunk = parseHeader(bytes, bytes.byteLength < look);
    if (chunk !== undefined) return { chunk, bytes: bytes.subarray(0, chunk.toByte) };
    if (look >= MAX_HEADER_BYTES) throw new LivetapeError('ARCHIVE_CORRUPT', `playlist: no segment within ${MAX_HEADER_BYTES} bytes`);
  }
}

async function scanOnce<T>(storage: StreamStorage, head: HeaderChunk, fold: Fold<T>): Promise<T> {
  let byte = head.toByte;
  let line = head.lines + 1;
  let nextSequence: number | undefined;
  let nextDiscontinuity = head.header.discontinuitySequence;
  let endMs: number | undefined;
  for (let block = FIRST_BLOCK_BYTES; ;) {
    const bytes = await storage.readJournal(byte, byte + block);
    const chunk = parseEntries(bytes, true, { line, byte });
    for (const { entry } of chunk.entries) {
      const mediaSequence = entry.facts?.mediaSequence ?? nextSequence ?? firstSequenceOf(head.header, entry);
      const discontinuitySequence = entry.facts?.discontinuitySequence ?? nextDiscontinuity + (entry.discontinuity ? 1 : 0);
      const wallMs = entry.wallMs ?? endMs ?? (await startOf(storage, entry));
      fold.add({ entry, index: entry.facts?.index ?? numberIn(entry.uri) ?? mediaSequence, wallMs, mediaSequence, discontinuitySequence });
      nextSequence = mediaSequence + 1;
      nextDiscontinuity = discontinuitySequence;
      endMs = wallMs + entry.durationUs / 1000;
    }
    byte += chunk.toByte;
    line += chunk.lines;
    if (bytes.byteLength < block) return fold.result(chunk.ended, chunk.tornBytes);
    block = chunk.entries.length === 0 ? block * 2 : Math.min(block * 2, BLOCK_BYTES);
  }
}

/**
 * The media sequence number of a playlist's first entry. The Go system pruned without counting: its playlists say nothing (which is 0, RFC 8216, 4.3.3.2), and
 * the number that its first entry should have had is that of its file.
 */
export function firstSequenceOf(header: PlaylistHeader, first: PlaylistEntry): number {
  const uncounted = header.life === undefined && header.mediaSequence === 0;
  return first.facts?.mediaSequence ?? (uncounted ? (numberIn(first.uri) ?? 0) : header.mediaSequence);
}

/**
 * When a playlist without any date-time before its first entry begins: index.json may know, or else the file's time.
 * @throws LivetapeError ARCHIVE_CORRUPT where neither does
 */
export async function startOf(storage: StreamStorage, first: PlaylistEntry): Promise<number> {
  const index = await loadIndex(storage).catch((error: unknown) => {
    if (isLivetapeError(error, 'ARCHIVE_CORRUPT') || isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER')) return undefined;
    throw error;
  });
  if (index?.startedAt !== undefined) return index.startedAt.getTime();
  const writtenMs = (await storage.files.stat(first.uri).catch(() => undefined))?.modifiedMs;
  if (writtenMs === undefined) throw new LivetapeError('ARCHIVE_CORRUPT', 'playlist: nothing says when its first segment begins');
  return Math.max(0, Math.floor(writtenMs - first.durationUs / 1000));
}

/** The number in the name of another system's segment. */
function numberIn(uri: string): number | undefined {
  const digits = /(\d{1,15})\.[A-Za-z0-9]+$/.exec(uri)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
