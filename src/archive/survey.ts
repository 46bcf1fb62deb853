/**
 * What a writer has to know of the archive it goes on with: the newest entry, the sums, and the next number that
 * was never used. The head and the tail of an archive of ours say all of it, however deep it is; the whole is read only
 * where index.json disagrees (for the gaps) or where another system wrote the entries.
 */
import { isLivetapeError, type Logger } from '../base/index.js';
import type { EntryFacts, PlaylistEntry } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import type { StreamStorage } from '../storage/index.js';
import { loadIndex, type ArchiveIndex } from './archiveIndex.js';
import type { CommittedSegment } from './contract.js';
import { endMs, segmentOf } from './entry.js';
import { Journal } from './journal.js';
import { NewestGaps } from './reader.js';
import { scanJournal, type ScannedEntry } from './scan.js';

/** So many free numbers in a row say that no file follows: as many segments as can be given up one after another before an index.json. */
const FREE_IN_A_ROW = 8;

/** What a writer goes on from. */
export interface Survey {
  readonly journal: Journal;
  readonly last: CommittedSegment | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly startedAtMs: number | undefined;
  readonly gaps: readonly Gap[];
  readonly nextIndex: number;
}

/** The file of a new segment. */
export function segmentName(index: number): string {
  return `${String(index).padStart(6, '0')}.ts`;
}

/** Reads what a writer has to know. */
export async function survey(storage: StreamStorage, log: Logger): Promise<Survey> {
  const opened = await Journal.open(storage);
  const fields = { location: storage.location };
  if (opened.tornBytes > 0)
    log.warn({ ...fields, tornBytes: opened.tornBytes }, 'the playlist ends in a torn entry, which will be cut off');
  const index = await loadIndex(storage).catch((error: unknown) => {
    if (!isLivetapeError(error, 'ARCHIVE_CORRUPT') && !isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER')) throw error;
    log.warn({ ...fields, err: error }, 'index.json cannot be read and will be written anew');
    return undefined;
  });
  const sums = await sumUp(storage, index, opened.first, opened.last, log);
  const atLeast = Math.max((sums.last?.index ?? -1) + 1, index?.nextIndex ?? 0);
  return { journal: opened.journal, ...sums, nextIndex: await firstFree(storage, atLeast) };
}

type Sums = Omit<Survey, 'journal' | 'nextIndex'>;

async function sumUp(
  storage: StreamStorage,
  index: ArchiveIndex | undefined,
  first: PlaylistEntry | undefined,
  last: PlaylistEntry | undefined,
  log: Logger,
): Promise<Sums> {
  if (first === undefined || last === undefined) {
    return { last: undefined, segmentCount: 0, sizeBytes: 0, startedAtMs: undefined, gaps: [] };
  }
  if (!first.facts || first.wallMs === undefined || !last.facts || last.wallMs === undefined) return sumAll(storage, log);
  const newest = segmentOf(last, last.facts, last.wallMs);
  const sums = {
    last: newest,
    segmentCount: last.facts.mediaSequence - first.facts.mediaSequence + 1,
    sizeBytes: last.facts.cumulativeBytes - first.facts.cumulativeBytes + first.facts.sizeBytes,
    startedAtMs: first.wallMs,
  };
  if (index && agrees(index, newest, sums.segmentCount)) {
    const gaps = index.gaps.map((gap): Gap => ({ fromMs: gap.from.getTime(), toMs: gap.to.getTime(), reason: gap.reason ?? 'signal' }));
    return { ...sums, gaps };
  }
  log.info({ location: storage.location }, 'index.json is not of the newest segment: the gaps are read from the playlist');
  return { ...sums, gaps: (await sumAll(storage, log)).gaps };
}

function agrees(index: ArchiveIndex, last: CommittedSegment, segmentCount: number): boolean {
  return (
    (index.nextIndex ?? 0) > last.index && index.lastSegmentAt?.getTime() === Math.trunc(endMs(last)) && index.segmentCount === segmentCount
  );
}

/** Reads every entry. Those of another system do not say how large their segments are: the files do. */
async function sumAll(storage: StreamStorage, log: Logger): Promise<Sums> {
  const found = await scanJournal(storage, () => {
    const gaps = new NewestGaps();
    const unsized: string[] = [];
    let [segmentCount, sizeBytes, highest] = [0, 0, -1];
    let first: ScannedEntry | undefined;
    let last: ScannedEntry | undefined;
    return {
      add(scanned) {
        const { facts, uri } = scanned.entry;
        first ??= scanned;
        last = scanned;
        segmentCount += 1;
        highest = Math.max(highest, scanned.index);
        if (facts === undefined) unsized.push(uri);
        else sizeBytes += facts.sizeBytes;
        if (facts?.gap) gaps.add({ ...facts.gap, toMs: scanned.wallMs });
      },
      result: () => ({ first, last, segmentCount, sizeBytes, highest, gaps: gaps.list(), unsized }),
    };
  });
  if (found?.last === undefined) return { last: undefined, segmentCount: 0, sizeBytes: 0, startedAtMs: undefined, gaps: [] };
  let { sizeBytes } = found;
  for (const uri of found.unsized) sizeBytes += await sizeOf(storage, uri, log);
  const { entry, wallMs } = found.last;
  const last = segmentOf(entry, entry.facts ?? factsFor(found.last, found.highest, sizeBytes), wallMs);
  return { last, segmentCount: found.segmentCount, sizeBytes, startedAtMs: found.first?.wallMs, gaps: found.gaps };
}

async function sizeOf(storage: StreamStorage, uri: string, log: Logger): Promise<number> {
  try {
    return (await storage.size(uri)) ?? 0;
  } catch (error) {
    if (!isLivetapeError(error, 'PATH_OUTSIDE_ROOT') && !isLivetapeError(error, 'ARGUMENT_INVALID')) throw error;
    log.warn({ location: storage.location, uri, err: error }, 'the playlist names something that is not a segment here');
    return 0;
  }
}

/** What can be said of another system's newest entry, so that ours go on from it. */
function factsFor(scanned: ScannedEntry, highest: number, cumulativeBytes: number): EntryFacts {
  return {
    // Its numbers need not be in order; ours go on above all of them.
    index: highest,
    mediaSequence: scanned.mediaSequence,
    discontinuitySequence: scanned.discontinuitySequence,
    sizeBytes: 0,
    cumulativeBytes,
    crc32: 0,
    pts: undefined,
    keyframes: [],
    headBytes: 0,
    forced: false,
    lostBytes: 0,
    errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
    gap: undefined,
    unknownKeys: [],
  };
}

/** The first number from `atLeast` on after which nothing was ever begun (F5): unlisted segments and remains of a crash are passed over. */
async function firstFree(storage: StreamStorage, atLeast: number): Promise<number> {
  let next = atLeast;
  for (let probe = next; probe < next + FREE_IN_A_ROW; probe++) {
    if (await storage.isTaken(segmentName(probe))) next = probe + 1;
  }
  return next;
}
