/**
 * What a writer has to know of the archive it goes on with: the newest entry, the sums, and the next number that
 * was never used. The head and the tail of an archive of ours say all of it, however deep it is; the whole is read only
 * where index.json disagrees (for the gaps) or where another system wrote the entries.
 */
import { isLivetapeError, type Logger } from '../base/index.js';
import type { EntryFacts, PlaylistEntry } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import { CORRUPT_MARK, INDEX_NAME, JOURNAL_NAME, type StreamStorage } from '../storage/index.js';
import type { ArchiveIndex } from './archiveIndex.js';
import type { CommittedSegment } from './contract.js';
import { endMs, segmentOf } from './entry.js';
import type { Journal, OpenedJournal } from './journal.js';
import { NewestGaps } from './reader.js';
import { cutDamage, openIndex, openJournal, setPlaylistAside, type HealedJournal, type Patient } from './recoveryJournal.js';
import { scanJournal, type ScannedEntry } from './scan.js';

/** What a journal that is begun or taken over from another system starts from. */
export interface Beginning {
  /** Of the first entry. */
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  /** Lives there have been. */
  readonly lives: number;
}

/** So many free numbers in a row say that no file follows: as many segments as can be given up one after another before an index.json. */
export const FREE_IN_A_ROW = 8;

/** A shorter loss is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;

/** What a writer goes on from. */
export interface Survey {
  readonly journal: Journal;
  readonly last: CommittedSegment | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly startedAtMs: number | undefined;
  readonly gaps: readonly Gap[];
  readonly nextIndex: number;
  /** The highest epoch that is named anywhere; 0 where none is. */
  readonly epoch: number;
  /** Counts where the journal's own header does not. */
  readonly begin: Beginning;
  /** The newest entries, oldest first. */
  readonly tail: readonly PlaylistEntry[];
  /** The first number that may be one of an unlisted segment; undefined where none is looked for. */
  readonly recoverFrom: number | undefined;
  /** Readable entries that were cut off with a damage before them, by URI. */
  readonly cutOff: ReadonlyMap<string, PlaylistEntry>;
}

/** The file of a new segment. */
export function segmentName(index: number): string {
  return `${String(index).padStart(6, '0')}.ts`;
}

/** Reads what a writer has to know, healing what stands in the way. */
export async function survey(patient: Patient, log: Logger): Promise<Survey> {
  const { storage, healing } = patient;
  const index = await openIndex(patient);
  const { opened, sums } = await openAndSum(patient, index, log);
  const { header } = opened.journal;
  const ours = header?.life !== undefined;
  // Nothing of ours says which numbers were used: the files do.
  const { highest, hadPlaylist } = ours && sums.last !== undefined ? KNOWN : await lookAround(storage);
  const atLeast = Math.max((sums.last?.index ?? -1) + 1, highest + 1, index?.nextIndex ?? 0);
  const nextIndex = await firstFree(storage, atLeast);
  const healed = healing.list.length > 0;
  // A recorder that died in its first segment has left neither playlist nor index.
  const begun = header === undefined && index === undefined && !healed && !hadPlaylist && highest < FREE_IN_A_ROW;
  if (header === undefined && !begun && !opened.lost && (index?.segmentCount !== 0 || highest >= 0)) {
    const detail = 'there is no playlist; the segments that are there are for livetape check --repair';
    healing.note({ found: 'playlist_missing', done: 'rewritten', file: JOURNAL_NAME, detail });
  }
  if (opened.journal.hasEntries && index === undefined && !healing.list.some(({ file }) => file === INDEX_NAME)) {
    healing.note({ found: 'index_missing', done: 'rewritten', file: INDEX_NAME, detail: 'there is no index.json' });
  }
  return {
    journal: opened.journal,
    ...sums,
    nextIndex,
    epoch: highestEpoch(index, [...opened.tail, ...opened.cutOff.values()]),
    // Above whatever the entries that are lost had, so that a repair can put them before ours (K3).
    begin: sums.begin ?? (begun ? NOTHING : { mediaSequence: nextIndex, discontinuitySequence: nextIndex, lives: nextIndex }),
    recoverFrom: sums.last === undefined ? (begun ? 0 : undefined) : sums.last.index + 1,
    tail: opened.tail,
    cutOff: opened.cutOff,
  };
}

/** What was recorded last may be cut off, and either of the two be gone: an epoch that comes back would not tell two owners apart (K7). */
function highestEpoch(index: ArchiveIndex | undefined, entries: readonly PlaylistEntry[]): number {
  return entries.reduce((highest, { facts }) => Math.max(highest, facts?.epoch ?? 0), index?.epoch ?? 0);
}

const NOTHING: Beginning = { mediaSequence: 0, discontinuitySequence: 0, lives: 0 };

interface Sums extends Omit<Survey, 'journal' | 'nextIndex' | 'epoch' | 'begin' | 'tail' | 'recoverFrom' | 'cutOff'> {
  /** Undefined where no entry says it. */
  readonly begin: Beginning | undefined;
}

/** Opens the playlist and sums it up. Another system's has to be read from end to end, so damage anywhere is in the way. */
async function openAndSum(patient: Patient, index: ArchiveIndex | undefined, log: Logger): Promise<{ opened: HealedJournal; sums: Sums }> {
  for (let attempt = 0; ; attempt++) {
    const opened = await openJournal(patient, index);
    try {
      return { opened, sums: await sumUp(patient, index, opened, log) };
    } catch (error) {
      if (!isLivetapeError(error, 'ARCHIVE_CORRUPT') || attempt > 1) throw error;
      const size = (await patient.storage.journalSize()) ?? 0;
      if (attempt > 0 || (await cutDamage(patient, size, true)) === undefined) await setPlaylistAside(patient, size, error);
    }
  }
}

async function sumUp(patient: Patient, index: ArchiveIndex | undefined, opened: OpenedJournal, log: Logger): Promise<Sums> {
  const { storage, healing } = patient;
  const { first, last } = opened;
  if (first === undefined || last === undefined) {
    return { last: undefined, segmentCount: 0, sizeBytes: 0, startedAtMs: undefined, gaps: [], begin: undefined };
  }
  if (!first.facts || first.wallMs === undefined || !last.facts || last.wallMs === undefined) return sumAll(storage, log);
  const newest = segmentOf(last, last.facts, last.wallMs);
  const sums = {
    last: newest,
    segmentCount: last.facts.mediaSequence - first.facts.mediaSequence + 1,
    sizeBytes: last.facts.cumulativeBytes - first.facts.cumulativeBytes + first.facts.sizeBytes,
    startedAtMs: first.wallMs,
    begin: undefined,
  };
  if (index === undefined) return { ...sums, gaps: await gapsOf(storage, log, opened) };
  const newer = entriesAfter(index, opened.tail, sums);
  if (newer === undefined) {
    const detail = 'index.json does not agree with the playlist';
    healing.note({ found: 'index_disagrees', done: 'rewritten', file: INDEX_NAME, detail });
    return { ...sums, gaps: await gapsOf(storage, log, opened) };
  }
  const told = index.gaps.map((gap): Gap => ({ fromMs: gap.from.getTime(), toMs: gap.to.getTime(), reason: gap.reason ?? 'signal' }));
  const gaps = new NewestGaps(told.filter(({ toMs }) => toMs >= sums.startedAtMs));
  for (const { gap } of newer) if (gap !== undefined) gaps.add(gap);
  return { ...sums, gaps: gaps.list() };
}

/** The entries after those that `index` tells of: it may be some behind when a recorder died. Undefined when it is not of this playlist. */
function entriesAfter(
  index: ArchiveIndex,
  tail: readonly PlaylistEntry[],
  sums: { readonly segmentCount: number; readonly startedAtMs: number },
): readonly CommittedSegment[] | undefined {
  const newer: CommittedSegment[] = [];
  for (const entry of [...tail].reverse()) {
    if (!entry.facts || entry.wallMs === undefined) return undefined;
    const segment = segmentOf(entry, entry.facts, entry.wallMs);
    if (index.lastSegmentAt?.getTime() === Math.trunc(endMs(segment))) {
      const known = index.segmentCount + newer.length;
      const pruned = known > sums.segmentCount && (index.startedAt?.getTime() ?? Infinity) < sums.startedAtMs;
      const agrees = (index.nextIndex ?? 0) > segment.index && (known === sums.segmentCount || pruned);
      return agrees ? newer.reverse() : undefined;
    }
    newer.push(segment);
  }
  return undefined;
}

/** The gaps that the playlist tells of; where it cannot be read from end to end, those of its tail. */
async function gapsOf(storage: StreamStorage, log: Logger, opened: OpenedJournal): Promise<readonly Gap[]> {
  try {
    log.info({ location: storage.location }, 'the gaps are read from the playlist');
    return (await sumAll(storage, log)).gaps;
  } catch (error) {
    if (!isLivetapeError(error, 'ARCHIVE_CORRUPT')) throw error;
    return opened.tail.flatMap(({ facts, wallMs }) => (facts?.gap && wallMs !== undefined ? [{ ...facts.gap, toMs: wallMs }] : []));
  }
}

/** Reads every entry. Those of another system do not say how large their segments are: the files do. */
async function sumAll(storage: StreamStorage, log: Logger): Promise<Sums> {
  const found = await scanJournal(storage, (header) => {
    const gaps = new NewestGaps();
    const unsized: string[] = [];
    let [segmentCount, sizeBytes, highest] = [0, 0, -1];
    let first: ScannedEntry | undefined;
    let last: ScannedEntry | undefined;
    let endedMs = Infinity;
    return {
      add(scanned) {
        const { facts, uri, durationUs } = scanned.entry;
        const { wallMs } = scanned;
        first ??= scanned;
        last = scanned;
        segmentCount += 1;
        highest = Math.max(highest, scanned.index);
        if (facts === undefined) unsized.push(uri);
        else sizeBytes += facts.sizeBytes;
        if (facts?.gap) gaps.add({ ...facts.gap, toMs: wallMs });
        // Another system names no gaps in its playlist; its date-times show them.
        else if (facts === undefined && wallMs - endedMs > MIN_GAP_MS) gaps.add({ fromMs: endedMs, toMs: wallMs, reason: 'signal' });
        endedMs = wallMs + durationUs / 1000;
      },
      result: () => ({ header, first, last, segmentCount, sizeBytes, highest, gaps: gaps.list(), unsized }),
    };
  });
  if (found?.last === undefined || found.first === undefined)
    return { last: undefined, segmentCount: 0, sizeBytes: 0, startedAtMs: undefined, gaps: [], begin: undefined };
  let { sizeBytes } = found;
  for (const uri of found.unsized) sizeBytes += await sizeOf(storage, uri, log);
  const { header, first } = found;
  const { entry, wallMs } = found.last;
  const known = factsFor(found.last, found.highest, sizeBytes);
  const last = segmentOf(entry, entry.facts ?? known, wallMs);
  const begin = {
    mediaSequence: first.mediaSequence,
    discontinuitySequence: header.discontinuitySequence,
    lives: header.life ?? 0,
  };
  return { last, segmentCount: found.segmentCount, sizeBytes, startedAtMs: first.wallMs, gaps: found.gaps, begin };
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
    epoch: 0,
    unknownKeys: [],
  };
}

/** What the names of all files tell. */
interface Surroundings {
  /** The highest number in a name, whatever became of the file; -1 where there is none. */
  readonly highest: number;
  /** A playlist or an index was set aside. */
  readonly hadPlaylist: boolean;
}

/** What need not be looked for where the playlist says it. */
const KNOWN: Surroundings = { highest: -1, hadPlaylist: true };

/** Reads the whole folder. */
async function lookAround(storage: StreamStorage): Promise<Surroundings> {
  let highest = -1;
  let hadPlaylist = false;
  for await (const name of storage.files.list()) {
    const digits = /^(\d{6,15})\.ts(?:\.|$)/.exec(name)?.[1];
    if (digits !== undefined) highest = Math.max(highest, Number(digits));
    else if (name.includes(CORRUPT_MARK)) hadPlaylist = true;
  }
  return { highest, hadPlaylist };
}

/** The first number from `atLeast` on after which nothing was ever begun (F5): unlisted segments and remains of a crash are passed over. */
async function firstFree(storage: StreamStorage, atLeast: number): Promise<number> {
  let next = atLeast;
  for (let probe = next; probe < next + FREE_IN_A_ROW; probe++) {
    if (await storage.isTaken(segmentName(probe))) next = probe + 1;
  }
  return next;
}
