/**
 * Deletes what is recorded of a stream (docs/design/keeping.md, K19). What stays is the number that comes next, so that none is used twice (F5), and its keeps.
 */
import { isLivetapeError, LivetapeError } from '../base/index.js';
import { CORRUPT_MARK, INDEX_NAME, JOURNAL_NAME, PART_SUFFIX, TMP_SUFFIX, type StreamStorage } from '../storage/index.js';
import { loadIndex, renderIndex } from './archiveIndex.js';
import { parsePlaylist } from './reader.js';

/** What was deleted. */
export interface RemovedArchive {
  /** Files of media. */
  readonly fileCount: number;
  readonly sizeBytes: number;
}

/**
 * Deletes an archive: its playlist first, durably, so that nothing is listed that is gone; then its files, those that were set aside too. One that was interrupted is
 * finished by the next.
 * @throws LivetapeError STREAM_NOT_FOUND where there is none; STREAM_OWNED while it is recorded; what the storage throws
 */
export async function removeArchive(place: StreamStorage, streamCode: string): Promise<RemovedArchive> {
  if ((await place.journalSize()) === undefined && (await place.size(INDEX_NAME)) === undefined) throw missing(streamCode);
  const ownership = await place.own();
  try {
    const names: string[] = [];
    for await (const name of place.files.list()) names.push(name);
    const index = await readable(loadIndex(place));
    // Of another system, or of a playlist that says more than its index: the numbers of its files.
    const listed = await readable(parsePlaylist(place));
    const numbers = [...names.map(numberOf), ...(listed ?? []).map((segment) => segment.index), (index?.nextIndex ?? 0) - 1];
    const text = renderIndex({
      streamCode,
      status: 'stopped',
      startedAtMs: undefined,
      lastSegmentAtMs: undefined,
      segmentCount: 0,
      sizeBytes: 0,
      nextIndex: numbers.reduce((highest, number) => Math.max(highest, number), -1) + 1,
      epoch: index?.epoch,
      gaps: [],
    });
    await ownership.check();
    await place.putCache(INDEX_NAME, text);
    // Durable, for once: no playlist says the same.
    await place.files.trim(INDEX_NAME, new TextEncoder().encode(text).byteLength);
    await ownership.check();
    if (names.includes(JOURNAL_NAME)) await place.files.trim(JOURNAL_NAME, 0);
    let [fileCount, sizeBytes] = [0, 0];
    const uris = new Set(listed?.map(({ uri }) => uri));
    for (const name of names) {
      // What somebody else put there is not ours to delete.
      if (name === INDEX_NAME || name === JOURNAL_NAME || !(uris.has(name) || isOurs(name))) continue;
      const sized = (await place.files.stat(name))?.sizeBytes ?? 0;
      if (!(await place.files.remove(name)) || !(uris.has(name) || numberOf(name) >= 0)) continue;
      fileCount += 1;
      sizeBytes += sized;
    }
    // Last: as long as it is there, and empty, the deletion is under way.
    await place.files.remove(JOURNAL_NAME);
    return { fileCount, sizeBytes };
  } finally {
    await ownership.release();
  }
}

const isOurs = (name: string): boolean =>
  numberOf(name) >= 0 || name.includes(CORRUPT_MARK) || name.endsWith(PART_SUFFIX) || name.endsWith(TMP_SUFFIX);

/** The number of a segment in a file's name, whatever became of the file; -1 where there is none. */
function numberOf(name: string): number {
  const digits = /^(\d{6,15})\.ts(?:\.|$)/.exec(name)?.[1];
  return digits === undefined ? -1 : Number(digits);
}

/** What cannot be read is deleted all the same. */
async function readable<T>(read: Promise<T>): Promise<T | undefined> {
  return read.catch((error: unknown) => {
    for (const code of ['ARCHIVE_CORRUPT', 'ARCHIVE_FORMAT_NEWER', 'STREAM_NOT_FOUND'] as const)
      if (isLivetapeError(error, code)) return undefined;
    throw error;
  });
}

function missing(code: string): LivetapeError {
  return new LivetapeError('STREAM_NOT_FOUND', `nothing is recorded of ${code}`, { context: { code } });
}
