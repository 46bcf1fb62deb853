/**
 * `livetape check --repair`: owns the stream, checks it, and sets right what the check finds: files first, then the playlist, then index.json. Media is
 * renamed, never removed; what is done is told line by line; done twice, the second does nothing.
 */
import { LivetapeError, toLivetapeError, type Clock } from '../base/index.js';
import type { PlaylistEntry } from '../hls/index.js';
import { INDEX_NAME, JOURNAL_NAME, setAside, type Ownership, type StreamStorage } from '../storage/index.js';
import { loadIndex, renderIndex, type ArchiveIndex } from './archiveIndex.js';
import { checkArchive, mustExist, type CheckedSegment, type CheckProgress, type CheckReport } from './check.js';
import type { Finding, FindingKind } from './checkFindings.js';
import { NameSet, numberOf } from './checkFolder.js';
import { readJournalHead, readJournalItems } from './checkJournal.js';
import { probeFile, type Probe } from './probe.js';
import type { RepairAction } from './repairActions.js';
import type { Repaired, TimeHints } from './repairEntries.js';
import { isOf, lastingDamage, RepairFiles } from './repairFiles.js';
import { misplaced } from './repairOrder.js';
import {
  headerOf,
  surveyPlaylist,
  textOf,
  type Decision,
  type Incoming,
  type PlaylistSources,
  type PlaylistSurvey,
} from './repairPlaylist.js';
import { segmentName } from './survey.js';

/** An entry out of its order leaves in one round and comes back at its place in the next. */
const MAX_ROUNDS = 3;

/** What a repair is given. */
export interface RepairOptions {
  readonly streamCode: string;
  readonly clock: Clock;
  readonly onAction?: ((action: RepairAction) => void) | undefined;
  /** What the check before the repair finds. */
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a repair says at its end. */
export interface RepairReport {
  /** As it was found. */
  readonly check: CheckReport;
  /** How much was done; 0 when there was nothing to do. */
  readonly actions: number;
}

/**
 * Repairs the archive in `storage`.
 * @throws LivetapeError STREAM_NOT_FOUND; STREAM_OWNED while it is recorded; ARCHIVE_FORMAT_NEWER when a newer Livetape wrote it; what the storage throws
 */
export async function repairArchive(storage: StreamStorage, options: RepairOptions): Promise<RepairReport> {
  await mustExist(storage);
  await storage.create();
  const ownership = await storage.own();
  try {
    return await new Repair(storage, ownership, options).run();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw toLivetapeError(error, 'INVARIANT_BROKEN', 'the repair failed');
  } finally {
    await ownership.release();
  }
}

/** What a look at the archive found. */
interface Found {
  readonly report: CheckReport;
  readonly kinds: ReadonlySet<FindingKind>;
  readonly wrong: readonly CheckedSegment[];
  readonly strays: readonly Finding[];
  readonly asidePlaylists: readonly string[];
}

class Repair {
  readonly #storage: StreamStorage;
  readonly #ownership: Ownership;
  readonly #options: RepairOptions;
  readonly #files: RepairFiles;
  #actions = 0;
  /** Above every number that was ever seen. */
  #nextIndex = 0;
  /** That of index.json. */
  #epoch: number | undefined;

  constructor(storage: StreamStorage, ownership: Ownership, options: RepairOptions) {
    this.#storage = storage;
    this.#ownership = ownership;
    this.#options = options;
    this.#files = new RepairFiles({
      storage,
      check: () => ownership.check(),
      nowMs: () => options.clock.nowMs(),
      tell: (action) => this.#tell(action),
    });
  }

  async run(): Promise<RepairReport> {
    const { onFinding } = this.#options;
    const first = await this.#look(onFinding);
    for (let found = first, round = 1; found.report.damages > 0; round++) {
      const again = await this.#round(found);
      if (!again || round === MAX_ROUNDS) break;
      found = await this.#look();
    }
    return { check: first.report, actions: this.#actions };
  }

  /** True when another look may find more to do. */
  async #round(before: Found): Promise<boolean> {
    let found = before;
    const put = await this.#files.putBack(found.wrong, found.strays);
    if (put.moved) found = await this.#look();
    // A file that came back to its name is listed again: what is left to decide is of this look.
    const { decisions, removed } = await this.#decide(found.wrong, put.uris);
    const incoming = await this.#incoming(found, [...put.uris.values()]);
    const index = await loadIndex(this.#storage).catch(() => undefined);
    this.#nextIndex = Math.max(this.#nextIndex, index?.nextIndex ?? 0);
    this.#epoch = index?.epoch;
    const size = await this.#storage.journalSize();
    const read = (fromByte: number, toByte: number): Promise<Uint8Array> => this.#storage.readJournal(fromByte, toByte);
    const skipped = new Map<string, PlaylistEntry>();
    const sources: PlaylistSources = {
      journal: size === undefined ? undefined : { read, head: await readJournalHead(read), size },
      decisions,
      incoming,
      hints: hintsOf(index),
      sizeOf: async (uri) => (await this.#storage.files.stat(uri).catch(() => undefined))?.sizeBytes ?? 0,
      skipped: (entry) => skipped.set(entry.uri, entry),
    };
    const pending: RepairAction[] = [...removed];
    const survey = await surveyPlaylist(sources, ({ uri, number, entry, damage }, repaired) => {
      this.#nextIndex = Math.max(this.#nextIndex, number + 1);
      const known = entry !== undefined && !incoming.some((file) => file.uri === uri);
      if (known && !repaired.changed) return;
      pending.push(...actionsOf(uri, known, damage, repaired));
    });
    const twice = [...skipped.values()].map(leaves('its file is named by another entry, or it is out of its order'));
    pending.push(...twice);
    const isRebuilt = pending.length > 0 || [...found.kinds].some((kind) => PLAYLIST_KINDS.has(kind));
    const ended = isRebuilt ? await this.#rebuild(sources, survey, index, pending) : await this.#ended(sources);
    await this.#writeIndex(survey, ended);
    return twice.length > 0;
  }

  async #look(onFinding?: (finding: Finding) => void): Promise<Found> {
    const { clock, signal, onProgress } = this.#options;
    const kinds = new Set<FindingKind>();
    const wrong: CheckedSegment[] = [];
    const strays: Finding[] = [];
    const asidePlaylists: string[] = [];
    const report = await checkArchive(this.#storage, {
      clock,
      signal,
      onProgress,
      alone: true,
      onFinding: (finding) => {
        onFinding?.(finding);
        kinds.add(finding.kind);
        if (finding.kind === 'set_aside' || finding.kind === 'remains') this.#wasUsed(finding.file);
        if (finding.kind === 'playlist_newer') throw new LivetapeError('ARCHIVE_FORMAT_NEWER', finding.message);
        if (STRAY_KINDS.has(finding.kind)) strays.push(finding);
        // One that was set aside, or that somebody renamed.
        if (finding.file.startsWith(`${JOURNAL_NAME}.`)) asidePlaylists.push(finding.file);
      },
      onSegment: (segment) => {
        this.#wasUsed(segment.entry.uri);
        if ([...segment.kinds].some((kind) => kind !== 'segment_damaged')) wrong.push(segment);
      },
    });
    return { report, kinds, wrong, strays, asidePlaylists: asidePlaylists.sort() };
  }

  /** The number in a name is never given again (F5), what a file was called before it was set aside too. */
  #wasUsed(name: string): void {
    const number = numberOf(/^\d+\.ts/.exec(name)?.[0] ?? '');
    if (number !== undefined) this.#nextIndex = Math.max(this.#nextIndex, number + 1);
  }

  /** What becomes of each entry with which something is wrong. */
  async #decide(
    wrong: readonly CheckedSegment[],
    uris: ReadonlyMap<number, string>,
  ): Promise<{ decisions: Map<number, Decision>; removed: RepairAction[] }> {
    const decisions = new Map<number, Decision>();
    const removed: RepairAction[] = [];
    const drop = (segment: CheckedSegment, why: string): void => {
      decisions.set(segment.fromByte, { kind: 'drop' });
      removed.push(leaves(why)(segment.entry));
    };
    for (const segment of wrong) {
      const { entry, probe, kinds, fromByte } = segment;
      const uri = uris.get(fromByte);
      if (uri !== undefined) decisions.set(fromByte, { kind: 'keep', uri });
      else if (kinds.has('segment_missing')) drop(segment, 'its file is gone');
      // What the medium will not read now it may read another day.
      else if (probe === undefined || kinds.has('segment_unreadable')) continue;
      else if (isOthers(segment)) drop(segment, 'its file is gone, and the one that it names is of another entry');
      else if ([...kinds].some((kind) => MEDIA_KINDS.has(kind))) {
        const usable = await this.#files.usable(entry.uri, probe);
        if (usable === undefined) drop(segment, 'its file cannot be used');
        else if (entry.facts === undefined && !kinds.has('entry_incomplete')) decisions.set(fromByte, { kind: 'keep' });
        else decisions.set(fromByte, { kind: 'change', probe: usable.probe, damage: lastingDamage(kinds, usable.probe) });
      }
    }
    return { decisions, removed };
  }

  /** Files that no entry names and that belong into the playlist, in order of their numbers. */
  async #incoming(found: Found, taken: readonly string[]): Promise<Incoming[]> {
    const incoming: Incoming[] = [];
    for (const { file, kind } of found.strays) {
      if (taken.includes(file) || (kind !== 'segment_unlisted' && kind !== 'part_left')) continue;
      const modifiedMs = (await this.#storage.files.stat(file))?.modifiedMs;
      const usable = await this.#files.usable(file, await this.#probe(file));
      if (usable === undefined) continue;
      const { name: uri, probe } = usable;
      const number = numberOf(uri);
      if (number === undefined) continue;
      incoming.push({ number, uri, probe, damage: lastingDamage(new Set(), probe), modifiedMs, entry: undefined, ownBefore: undefined });
    }
    incoming.sort((a, b) => a.number - b.number);
    if (incoming.length === 0) return [];
    return this.#renumbered(await this.#withOldEntries(incoming, found.asidePlaylists));
  }

  /** Those of which no entry is known are put where their time stamps say. */
  async #renumbered(incoming: readonly Incoming[]): Promise<Incoming[]> {
    const unknown = incoming.filter(({ entry }) => entry === undefined);
    const there = new NameSet();
    for await (const name of this.#storage.files.list()) there.add(name);
    const numbers = misplaced(unknown, (number) => !there.has(segmentName(number)));
    if (numbers.size === 0) return [...incoming];
    await this.#files.renumber(numbers);
    const moved = incoming.map((file) => {
      const number = file.entry === undefined ? numbers.get(file.number) : undefined;
      return number === undefined ? file : { ...file, number, uri: segmentName(number) };
    });
    return moved.sort((a, b) => a.number - b.number);
  }

  async #probe(name: string): Promise<Probe | undefined> {
    return (await this.#files.probe(name)) ?? probeFile(this.#storage, name);
  }

  /** Entries from playlists that were set aside, for files that still are what those say. */
  async #withOldEntries(incoming: readonly Incoming[], playlists: readonly string[]): Promise<Incoming[]> {
    const byUri = new Map(incoming.map((file) => [file.uri, file]));
    for (const name of playlists) {
      const read = async (fromByte: number, toByte: number): Promise<Uint8Array> =>
        (await this.#storage.files.read(name, fromByte, toByte)) ?? new Uint8Array(0);
      const size = (await this.#storage.files.stat(name))?.sizeBytes ?? 0;
      let ownBefore: number | undefined;
      for await (const item of readJournalItems(read, await readJournalHead(read), size)) {
        const entry = item.kind === 'entry' ? item.located.entry : undefined;
        const file = entry && byUri.get(entry.uri);
        if (entry && file && isOf(entry, file.probe)) byUri.set(entry.uri, { ...file, entry, ownBefore });
        ownBefore = entry?.facts?.index ?? NaN;
      }
    }
    return [...byUri.values()];
  }

  /** Writes the playlist as a new life. What could not be read in the old one is kept aside. Answers whether the life has ended. */
  async #rebuild(
    sources: PlaylistSources,
    survey: PlaylistSurvey,
    index: ArchiveIndex | undefined,
    pending: readonly RepairAction[],
  ): Promise<boolean> {
    const { clock } = this.#options;
    const old = sources.journal?.head.header;
    const wasEnded = await this.#ended(sources);
    // Without a header index.json knows whether it was being recorded; without both nothing says that it should go on.
    const ended = old === undefined ? wasEnded || index?.status !== 'recording' : wasEnded || old.type === 'VOD';
    const retention = old === undefined ? survey.running.mediaSequence > 0 : old.type === undefined;
    const header = headerOf(old, survey, { ended, retention });
    let from = sources;
    if (sources.journal !== undefined && (await this.#holdsUnreadable(sources))) {
      await this.#ownership.check();
      const kept = await setAside(this.#storage.files, JOURNAL_NAME, clock.nowMs());
      this.#tell({ action: 'file_set_aside', file: JOURNAL_NAME, message: `${JOURNAL_NAME}: as it was it is kept as ${kept}` });
      const read = async (fromByte: number, toByte: number): Promise<Uint8Array> =>
        (await this.#storage.files.read(kept, fromByte, toByte)) ?? new Uint8Array(0);
      from = { ...sources, journal: { ...sources.journal, read } };
    }
    await this.#ownership.check();
    await this.#storage.replaceJournal(textOf(from, header, survey, ended));
    for (const action of pending) this.#tell(action);
    const message = `${JOURNAL_NAME}: written anew with ${survey.count} segments, life ${header.life}`;
    this.#tell({ action: 'playlist_rebuilt', file: JOURNAL_NAME, message });
    return ended;
  }

  async #ended({ journal }: PlaylistSources): Promise<boolean> {
    if (journal === undefined) return false;
    const items = readJournalItems(journal.read, journal.head, journal.size);
    for (;;) {
      const next = await items.next();
      if (next.done) return next.value.ended;
    }
  }

  async #holdsUnreadable({ journal }: PlaylistSources): Promise<boolean> {
    if (journal === undefined) return false;
    if (journal.head.header === undefined) return true;
    for await (const item of readJournalItems(journal.read, journal.head, journal.size)) if (item.kind === 'unreadable') return true;
    return false;
  }

  async #writeIndex(survey: PlaylistSurvey, ended: boolean): Promise<void> {
    const text = renderIndex({
      streamCode: this.#options.streamCode,
      status: ended ? 'stopped' : 'recording',
      startedAtMs: survey.first?.wallMs,
      lastSegmentAtMs: survey.endedMs,
      segmentCount: survey.count,
      sizeBytes: survey.sizeBytes,
      nextIndex: this.#nextIndex,
      epoch: Math.max(this.#epoch ?? 0, survey.epoch) || undefined,
      gaps: survey.gaps,
    });
    const there = await this.#storage.read(INDEX_NAME, 0, text.length * 4).catch(() => undefined);
    if (there !== undefined && new TextDecoder().decode(there) === text) return;
    await this.#ownership.check();
    await this.#storage.putCache(INDEX_NAME, text);
    this.#tell({ action: 'index_rebuilt', file: INDEX_NAME, message: `${INDEX_NAME}: written anew from the playlist` });
  }

  #tell(action: RepairAction): void {
    this.#actions += 1;
    this.#options.onAction?.(action);
  }
}

const STRAY_KINDS: ReadonlySet<FindingKind> = new Set<FindingKind>(['segment_unlisted', 'part_left', 'foreign_file', 'remains']);
/** What a probe of the media sets right. */
const MEDIA_KINDS: ReadonlySet<FindingKind> = new Set<FindingKind>([
  ...(['segment_size', 'segment_crc', 'segment_packets', 'segment_tables', 'segment_keyframe', 'segment_times', 'segment_keys'] as const),
  ...(['duration_wrong', 'entry_incomplete'] as const),
]);
/** What the playlist is written anew for, whatever becomes of its entries. */
const PLAYLIST_KINDS: ReadonlySet<FindingKind> = new Set<FindingKind>([
  ...(['playlist_missing', 'playlist_unreadable', 'header_wrong', 'entry_unreadable', 'entry_torn', 'entry_incomplete'] as const),
  ...(['sequence_wrong', 'sums_wrong', 'number_wrong', 'time_wrong', 'duration_wrong'] as const),
]);

/** Whether the file that an entry names is, by its number, that of another entry, and not what this one tells of. */
function isOthers({ entry, probe, kinds }: CheckedSegment): boolean {
  const named = numberOf(entry.uri);
  const isContent = probe !== undefined && isOf(entry, probe);
  return kinds.has('number_wrong') && entry.facts !== undefined && named !== undefined && named !== entry.facts.index && !isContent;
}

const leaves =
  (why: string) =>
  (entry: PlaylistEntry): RepairAction => ({ action: 'entry_removed', file: entry.uri, message: `${entry.uri}: ${why}` });

function actionsOf(
  uri: string,
  known: boolean,
  damage: readonly FindingKind[],
  { entry, wallTimeFrom, gapAdded }: Repaired,
): RepairAction[] {
  const actions: RepairAction[] = [];
  const at = entry.wallMs === undefined ? '' : ` at ${new Date(entry.wallMs).toISOString()} (from: ${wallTimeFrom})`;
  if (!known) actions.push({ action: 'entry_added', file: uri, message: `${uri}: entered${at}`, wallTimeFrom });
  else if (damage.length > 0)
    actions.push({
      action: 'entry_kept_damaged',
      file: uri,
      message: `${uri}: kept as it is, with ${damage.join(', ')}${at}`,
      wallTimeFrom,
    });
  else actions.push({ action: 'entry_corrected', file: uri, message: `${uri}: set right${at}`, wallTimeFrom });
  const { gap } = entry.facts ?? {};
  if (gapAdded && gap && entry.wallMs !== undefined) {
    const lengthSec = ((entry.wallMs - gap.fromMs) / 1000).toFixed(3);
    actions.push({ action: 'gap_added', file: uri, message: `${uri}: before it ${lengthSec} s are a gap (${gap.reason})` });
  }
  return actions;
}

function hintsOf(index: ArchiveIndex | undefined): TimeHints {
  return {
    startedAtMs: index?.startedAt?.getTime(),
    lastSegmentAtMs: index?.lastSegmentAt?.getTime(),
    gaps: (index?.gaps ?? []).map(({ from, to, reason }) => ({ fromMs: from.getTime(), toMs: to.getTime(), reason })),
  };
}
