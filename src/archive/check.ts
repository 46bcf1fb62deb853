/**
 * `livetape check`: reads an archive from end to end, beside its entries the media of each, and names what is not as docs/design/data-format.md says.
 * It takes no lock, changes nothing, and its memory does not grow with the archive's depth. Beside a recorder it judges what was
 * committed when it began; what is pruned or committed meanwhile is nobody's fault.
 */
import { LivetapeError, delay, isLivetapeError, type Clock } from '../base/index.js';
import type { PlaylistEntry, PlaylistHeader } from '../hls/index.js';
import { INDEX_NAME, JOURNAL_NAME, type StreamStorage } from '../storage/index.js';
import { loadIndex } from './archiveIndex.js';
import { judgeEntry, misspeltInHeader, type Listed } from './checkEntry.js';
import { finding, type Finding, type FindingDetail, type FindingKind } from './checkFindings.js';
import { FRESH_MS, NameSet, numberOf, strays } from './checkFolder.js';
import { judgeIndex, readIndex, type Totals } from './checkIndex.js';
import { readJournalHead, readJournalItems, type JournalEnd, type JournalHead, type JournalItem } from './checkJournal.js';
import { judgeMedia } from './checkMedia.js';
import { ImpliedTimes } from './impliedTimes.js';
import { probeFile, type Probe } from './probe.js';
import { prunedNumbers, type NumberRange } from './prune.js';
import { NewestGaps } from './reader.js';

/** How often a check looks again because the playlist was replaced under it. */
const MAX_REPLACED = 1000;
/** A recorder writes index.json after the entry; later than this it has not. */
const INDEX_LAG_MS = 2000;

/** A shorter loss is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;

/** How far a check is. */
export interface CheckProgress {
  readonly segments: number;
  readonly bytes: number;
  /** Of the playlist's text that is done, 0 to 1. */
  readonly part: number;
}

/** What a check is given. */
export interface CheckOptions {
  readonly clock: Clock;
  readonly onFinding?: ((finding: Finding) => void) | undefined;
  /** Called after each segment. */
  readonly onProgress?: ((progress: CheckProgress) => void) | undefined;
  /** Ends it: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Nobody else writes to the archive just now, so nothing is left unjudged for a recorder's sake. */
  readonly alone?: boolean | undefined;
  /** Called with each entry, for a repair: it sees what the check sees. */
  readonly onSegment?: ((segment: CheckedSegment) => void) | undefined;
}

/** An entry with its media. */
export interface CheckedSegment {
  readonly entry: PlaylistEntry;
  /** Where the entry begins in the playlist. */
  readonly fromByte: number;
  /** Undefined when the file is missing or cannot be read from the medium. */
  readonly probe: Probe | undefined;
  /** Of the entry and its media. */
  readonly kinds: ReadonlySet<FindingKind>;
}

/** What a check says at its end. */
export interface CheckReport {
  readonly segments: number;
  /** Of media that was read. */
  readonly bytes: number;
  /** Findings that are damage. */
  readonly damages: number;
  /** Findings that are worth knowing and no fault. */
  readonly notes: number;
  readonly kinds: Readonly<Partial<Record<FindingKind, number>>>;
}

/**
 * Checks the archive in `storage`.
 * @throws LivetapeError STREAM_NOT_FOUND; what the storage throws, other than for a single segment; the signal's reason
 */
export async function checkArchive(storage: StreamStorage, options: CheckOptions): Promise<CheckReport> {
  return new Check(storage, options).run();
}

/** @throws LivetapeError STREAM_NOT_FOUND where there is no file at all */
export async function mustExist(storage: StreamStorage): Promise<void> {
  for await (const name of storage.files.list()) if (name !== '') return;
  throw new LivetapeError('STREAM_NOT_FOUND', `there is no archive in ${storage.location}`, { context: { location: storage.location } });
}

class Check {
  readonly #storage: StreamStorage;
  readonly #options: CheckOptions;
  readonly #listed = new NameSet();
  readonly #gaps = new NewestGaps();
  readonly #kinds: Partial<Record<FindingKind, number>> = {};
  #damages = 0;
  #notes = 0;
  #segments = 0;
  #bytes = 0;
  /** Sizes of the segments that are listed. */
  #sizeBytes = 0;
  #times = new ImpliedTimes(undefined);
  #startedAtMs: number | undefined;
  #highest = -1;
  #first: PlaylistEntry | undefined;
  #last: PlaylistEntry | undefined;
  #adjacent = true;
  #unreadableFirst = false;
  /** As the header says. */
  #pruned: NumberRange | undefined;
  #replaced = 0;

  constructor(storage: StreamStorage, options: CheckOptions) {
    this.#storage = storage;
    this.#options = options;
  }

  async run(): Promise<CheckReport> {
    const size = await this.#storage.journalSize();
    const head = size === undefined ? undefined : await readJournalHead(this.#read);
    let end: JournalEnd = { ended: false, tornBytes: 0 };
    if (head === undefined) await this.#judgeMissing();
    else if (isLivetapeError(head.error, 'ARCHIVE_FORMAT_NEWER')) {
      this.#tell(finding('playlist_newer', { file: JOURNAL_NAME, message: `${JOURNAL_NAME}: ${head.error.message}` }));
      return this.#report();
    } else {
      this.#judgeHead(head);
      this.#times = new ImpliedTimes((await loadIndex(this.#storage).catch(() => undefined))?.startedAt?.getTime());
      end = await this.#entries(head, size ?? 0);
      this.#judgeEnd(head.header, end);
    }
    // A life that has ended, or whose header says so or nothing at all, is not being recorded.
    await this.#folder(head?.header !== undefined && head.header.type !== 'VOD' && !end.ended);
    await this.#index(end.ended, size ?? 0, head);
    return this.#report();
  }

  readonly #read = (fromByte: number, toByte: number): Promise<Uint8Array> => this.#storage.readJournal(fromByte, toByte);

  /** Every entry that stood there at the beginning; when the playlist is replaced meanwhile, goes on in the new one behind the last. */
  async #entries(first: JournalHead, firstSize: number): Promise<JournalEnd> {
    let head = first;
    let size = firstSize;
    for (;;) {
      const items = readJournalItems(this.#read, head, size);
      const done = this.#last?.facts?.mediaSequence ?? -1;
      let next: IteratorResult<JournalItem, JournalEnd>;
      let replaced = false;
      while (!(next = await items.next()).done) {
        const item = next.value;
        if (head !== first && item.kind === 'entry' && (item.located.entry.facts?.mediaSequence ?? Infinity) <= done) continue;
        this.#options.signal?.throwIfAborted();
        if (await this.#item(item, head, size)) continue;
        replaced = true;
        break;
      }
      // Every replacement has another header, so one that is the same says that all was of one playlist.
      replaced ||= !(await this.#stands(head));
      if (!replaced) return next.value as JournalEnd;
      this.#replaced += 1;
      // what was between may have been pruned
      this.#adjacent = false;
      if (this.#replaced > MAX_REPLACED) return { ended: false, tornBytes: 0 };
      head = await readJournalHead(this.#read);
      size = (await this.#storage.journalSize()) ?? 0;
    }
  }

  async #stands(head: JournalHead): Promise<boolean> {
    return Buffer.compare(await this.#read(0, head.bytes.byteLength), head.bytes) === 0;
  }

  /** False when the playlist was replaced, so that what is wrong with this item may be nobody's fault. */
  async #item(item: JournalItem, head: JournalHead, size: number): Promise<boolean> {
    if (item.kind === 'unreadable') {
      if (!(await this.#stands(head))) return false;
      const { error, line } = item;
      this.#tell(finding('entry_unreadable', { file: JOURNAL_NAME, line, message: `${JOURNAL_NAME}: ${error.message}` }));
      if (this.#first === undefined) this.#unreadableFirst = true;
      this.#adjacent = false;
      return true;
    }
    const { entry } = item.located;
    const listed: Listed = { entry, line: item.line, adjacent: this.#adjacent };
    const { probe, findings } = await this.#media(entry, item.line);
    findings.unshift(...judgeEntry(listed, this.#last, head.header));
    if (findings.some(({ severity }) => severity === 'damage') && !(await this.#stands(head))) return false;
    if (!this.#listed.add(entry.uri))
      findings.push(
        finding('number_wrong', {
          file: JOURNAL_NAME,
          entry: entry.facts?.index,
          line: item.line,
          message: `${JOURNAL_NAME}: ${entry.uri}: it is named twice`,
        }),
      );
    for (const each of findings) this.#tell(each);
    this.#first ??= entry;
    this.#last = entry;
    this.#adjacent = true;
    this.#segments += 1;
    this.#bytes += probe?.sizeBytes ?? 0;
    this.#addUp(entry, probe);
    this.#options.onSegment?.({ entry, fromByte: item.located.fromByte, probe, kinds: new Set(findings.map(({ kind }) => kind)) });
    this.#options.onProgress?.({
      segments: this.#segments,
      bytes: this.#bytes,
      part: Math.min(1, item.located.toByte / Math.max(1, size)),
    });
    return true;
  }

  #addUp(entry: PlaylistEntry, probe: Probe | undefined): void {
    const { facts, uri } = entry;
    const endedMs = this.#times.endMs;
    const wallMs = this.#times.next(entry);
    this.#startedAtMs ??= wallMs;
    this.#sizeBytes += facts?.sizeBytes ?? probe?.sizeBytes ?? 0;
    this.#highest = Math.max(this.#highest, facts?.index ?? numberOf(uri) ?? -1);
    if (wallMs === undefined) return;
    if (facts?.gap) this.#gaps.add({ ...facts.gap, toMs: wallMs });
    // Another system names no gaps in its playlist; its date-times show them.
    else if (!facts && endedMs !== undefined && wallMs - endedMs > MIN_GAP_MS)
      this.#gaps.add({ fromMs: endedMs, toMs: wallMs, reason: 'signal' });
  }

  async #media(entry: PlaylistEntry, line: number): Promise<{ probe: Probe | undefined; findings: Finding[] }> {
    const at: Omit<FindingDetail, 'message'> = { file: entry.uri, entry: entry.facts?.index, line };
    try {
      const probe = await probeFile(this.#storage, entry.uri);
      if (probe !== undefined) return { probe, findings: judgeMedia(entry, line, probe) };
      return { probe, findings: [finding('segment_missing', { ...at, message: `${entry.uri}: it is not there` })] };
    } catch (error) {
      if (!isLivetapeError(error)) throw error;
      const kind = error.code === 'PATH_OUTSIDE_ROOT' ? 'segment_missing' : 'segment_unreadable';
      return { probe: undefined, findings: [finding(kind, { ...at, message: `${entry.uri}: ${error.message}` })] };
    }
  }

  /** A stream whose recording never had a segment has no playlist. */
  async #judgeMissing(): Promise<void> {
    const missing = finding('playlist_missing', { file: JOURNAL_NAME, message: `${JOURNAL_NAME}: it is not there` });
    await mustExist(this.#storage);
    for await (const name of this.#storage.files.list()) if (numberOf(name) !== undefined) return this.#tell(missing);
    const index = await readIndex(this.#storage);
    if (!('kind' in index) && index.segmentCount > 0) this.#tell(missing);
  }

  #judgeHead({ header, error }: JournalHead): void {
    const fault = (kind: FindingKind, why: string): void =>
      this.#tell(finding(kind, { file: JOURNAL_NAME, line: 1, message: `${JOURNAL_NAME}: ${why}` }));
    if (header === undefined) return fault('playlist_unreadable', error?.message ?? 'it cannot be read');
    this.#pruned = prunedNumbers(header);
    const misspelt = misspeltInHeader(header);
    if (misspelt !== undefined) fault('header_wrong', `"${misspelt}" looks like a name that was damaged`);
  }

  /** What can be said of the header when the entries are known. */
  #judgeEnd(header: PlaylistHeader | undefined, { ended, tornBytes }: JournalEnd): void {
    const fault = (kind: FindingKind, why: string, more: Partial<FindingDetail> = {}): void =>
      this.#tell(finding(kind, { file: JOURNAL_NAME, message: `${JOURNAL_NAME}: ${why}`, ...more }));
    if (tornBytes > 0 && this.#replaced === 0) fault('entry_torn', `its last ${tornBytes} bytes are not an entry (F6)`);
    if (header === undefined || this.#replaced > 0) return;
    const facts = this.#first?.facts;
    if (facts !== undefined) {
      const own = this.#first?.discontinuity === true ? 1 : 0;
      const said = `${header.mediaSequence}/${header.discontinuitySequence}`;
      const expected = `${facts.mediaSequence}/${facts.discontinuitySequence - own}`;
      if (said !== expected && !this.#unreadableFirst)
        fault('header_wrong', 'its sequence numbers are not those of its first entry (F10)', { expected, seen: said });
      if (header.life === undefined) fault('header_wrong', 'its entries are of Livetape, and its header names no life');
      if (header.version < 3) fault('header_wrong', `it says version ${header.version}, and has durations with a fraction`);
    }
    if (header.life === undefined) return;
    if (ended !== (header.type === 'VOD')) fault('header_wrong', ended ? 'it has ended and is not VOD' : 'it is VOD and has not ended');
  }

  async #folder(open: boolean): Promise<void> {
    const { clock, signal } = this.#options;
    const numbers = { pruned: this.#pruned };
    const unlisted: Finding[] = [];
    const options = { listed: this.#listed, numbers, open: open && this.#options.alone !== true, nowMs: clock.nowMs(), signal };
    for await (const stray of strays(this.#storage, options)) {
      if (stray.kind === 'segment_unlisted' || stray.kind === 'part_left') unlisted.push(stray);
      else this.#tell(stray);
    }
    if (unlisted.length === 0) return;
    const meanwhile = await this.#listedMeanwhile();
    for (const stray of unlisted) if (!meanwhile.has(stray.file.replace(/\.part$/, ''))) this.#tell(stray);
  }

  /** What was committed since this began. */
  async #listedMeanwhile(): Promise<NameSet> {
    const names = new NameSet();
    const last = this.#last?.facts?.index ?? -1;
    const size = (await this.#storage.journalSize()) ?? 0;
    if (size === 0) return names;
    for await (const item of readJournalItems(this.#read, await readJournalHead(this.#read), size)) {
      const uri = item.kind === 'entry' ? item.located.entry.uri : undefined;
      if (uri !== undefined && (numberOf(uri) ?? -1) > last) names.add(uri);
    }
    return names;
  }

  async #index(ended: boolean, size: number, head: JournalHead | undefined): Promise<void> {
    let index = await readIndex(this.#storage);
    if ('kind' in index) return this.#segments > 0 || index.kind === 'index_unreadable' ? this.#tell(index) : undefined;
    // Where the playlist itself cannot be read there is nothing to compare with, and beside a recorder the two are never of the same moment.
    if (head?.header === undefined || this.#damaged('entry_unreadable') || this.#replaced > 0) return;
    const lastMs = this.#times.endMs;
    const totals: Totals = {
      ended,
      startedAtMs: this.#startedAtMs,
      lastEndMs: this.#segments === 0 ? undefined : lastMs,
      segmentCount: this.#segments,
      sizeBytes: this.#sizeBytes,
      lastIndex: this.#highest < 0 ? undefined : this.#highest,
      gaps: this.#gaps.list(),
    };
    let found = judgeIndex(index, totals);
    if (found.length > 0 && !ended && this.#options.alone !== true && (await this.#isFresh(INDEX_NAME))) {
      // a recorder writes it some milliseconds after the entry
      await delay(this.#options.clock, INDEX_LAG_MS, this.#options.signal);
      index = await readIndex(this.#storage);
      found = 'kind' in index ? [index] : judgeIndex(index, totals);
    }
    if (found.length === 0) return;
    if ((await this.#storage.journalSize()) !== size || !(await this.#stands(head))) return;
    for (const each of found) this.#tell(each);
  }

  async #isFresh(name: string): Promise<boolean> {
    const modifiedMs = (await this.#storage.files.stat(name))?.modifiedMs;
    return modifiedMs !== undefined && Math.abs(this.#options.clock.nowMs() - modifiedMs) < FRESH_MS;
  }

  #damaged(kind: FindingKind): boolean {
    return (this.#kinds[kind] ?? 0) > 0;
  }

  #tell(found: Finding): void {
    this.#kinds[found.kind] = (this.#kinds[found.kind] ?? 0) + 1;
    if (found.severity === 'damage') this.#damages += 1;
    else this.#notes += 1;
    this.#options.onFinding?.(found);
  }

  #report(): CheckReport {
    return { segments: this.#segments, bytes: this.#bytes, damages: this.#damages, notes: this.#notes, kinds: this.#kinds };
  }
}
