/**
 * Writes one stream's archive. Segments are stored side by side with one another, but enter the journal strictly
 * in order, each after its bytes, its name and its folder entry are durable (F8). One that fails fails alone: the next one says
 * that something is missing before it.
 */
import { LivetapeError, invariant, toLivetapeError, type Clock, type Logger } from '../base/index.js';
import { renderEntry, type PlaylistEntry, type PlaylistHeader } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import type { Ownership, StreamStorage } from '../storage/index.js';
import { IndexWriter } from './archiveIndex.js';
import type { ArchiveTotals, ArchiveWriter, CommittedSegment, Pruned, PruneLimits, SegmentFacts, SegmentWriter } from './contract.js';
import type { Healed } from './healed.js';
import { checkFollows, endMs, entryOf, segmentOf } from './entry.js';
import type { Journal } from './journal.js';
import { OwnedPlace } from './owned.js';
import { Pruner, type PrunePlan } from './prune.js';
import { NewestGaps } from './reader.js';
import { Segment } from './segment.js';
import { recover, type Recovered } from './recoverySurvey.js';
import { segmentName, type Beginning } from './survey.js';

/** A shorter loss is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;
/** Lost segments that are remembered until one is stored again. */
const MAX_LOST = 100;
/** A commit that takes longer is worth a word in the log: the medium is slow. */
const SLOW_COMMIT_MS = 2000;

/** What {@link openArchiveForWriting} is given. */
export interface ArchiveOptions {
  readonly storage: StreamStorage;
  readonly streamCode: string;
  /** Whether entries may leave: then the playlist has no type, else it is EVENT. */
  readonly retention: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** A number below which all were used, whatever the medium shows: what this process remembers of a folder that was removed. */
  readonly numbersFrom?: number;
}

/**
 * Opens a stream's archive to go on with it, or begins one, healing what stands in the way. Only the head and the tail of the playlist are read.
 * @throws LivetapeError STREAM_OWNED, PATH_OUTSIDE_ROOT, STORAGE_UNWRITABLE, STORAGE_FAILED, DISK_FULL
 */
export async function openArchiveForWriting(options: ArchiveOptions): Promise<ArchiveWriter> {
  await options.storage.create();
  const ownership = await options.storage.own();
  try {
    const storage = new OwnedPlace(options.storage, ownership);
    const writer = new Writer({ ...options, storage }, await recover({ ...options, storage }), ownership);
    await writer.opened();
    return writer;
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

/** A segment that was begun and has no entry. */
interface Lost {
  readonly index: number;
  /** The gap that its own entry would have told of. */
  readonly gap: Gap | undefined;
}

class Writer implements ArchiveWriter {
  readonly location: string;
  readonly healed: readonly Healed[];
  readonly #options: ArchiveOptions;
  readonly #journal: Journal;
  readonly #ownership: Ownership;
  readonly #epoch: number;
  readonly #begin: Beginning;
  readonly #index: IndexWriter;
  readonly #gaps: NewestGaps;
  readonly #pruner: Pruner;
  readonly #open = new Set<Segment>();
  #last: CommittedSegment | undefined;
  #segmentCount: number;
  #sizeBytes: number;
  #startedAtMs: number | undefined;
  #nextIndex: number;
  #lost: Lost[] = [];
  /** A life that begins with the next entry. */
  #pending: { readonly life: number; readonly targetDurationSec: number } | undefined;
  #serial: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** Whether entries may leave. */
  #retention: boolean;

  constructor(options: ArchiveOptions, found: Recovered, ownership: Ownership) {
    this.location = options.storage.location;
    this.#options = options;
    this.#journal = found.journal;
    this.#ownership = ownership;
    this.#epoch = found.epoch;
    this.#begin = found.begin;
    this.healed = found.healed;
    this.#index = new IndexWriter(options.storage, options.log);
    this.#gaps = new NewestGaps(found.gaps);
    this.#last = found.last;
    this.#segmentCount = found.segmentCount;
    this.#sizeBytes = found.sizeBytes;
    this.#startedAtMs = found.startedAtMs;
    this.#nextIndex = Math.max(found.nextIndex, options.numbersFrom ?? 0);
    this.#retention = options.retention;
    this.#pruner = new Pruner({
      ...options,
      journal: found.journal,
      endLife: () => this.#endForPruning(),
      pruned: (plan) => this.#pruned(plan),
    });
  }

  /** Kept when index.json says what was healed: numbers of what was set aside are not used again (F5), what was wrong is not left wrong (K4). */
  async opened(): Promise<void> {
    if (this.healed.length === 0) return;
    this.#updateIndex(this.#journal.ended ? 'stopped' : 'recording');
    await this.#index.flush();
  }

  get last(): CommittedSegment | undefined {
    return this.#last;
  }

  get life(): { readonly targetDurationSec: number } | undefined {
    if (this.#pending !== undefined) return { targetDurationSec: this.#pending.targetDurationSec };
    const { header, ended } = this.#journal;
    // One of another system, or of another type than is asked for now, is not resumed: a type changes between lives only (F12).
    if (header?.life === undefined || ended || header.type !== this.#type) return undefined;
    return { targetDurationSec: header.targetDurationSec };
  }

  get totals(): ArchiveTotals {
    return { segmentCount: this.#segmentCount, sizeBytes: this.#sizeBytes, startedAtMs: this.#startedAtMs, gaps: this.#gaps.list() };
  }

  get indexFailures(): number {
    return this.#index.failures;
  }

  openSegment(): SegmentWriter {
    const index = this.#nextIndex++;
    const segment: Segment = new Segment(index, this.#options.storage.put(segmentName(index)), {
      commit: (facts, stored) => this.#commit(segment, facts, stored),
      lost: () => this.#lose({ index, gap: undefined }),
      over: () => this.#open.delete(segment),
    });
    this.#open.add(segment);
    if (this.#closing) void segment.abort();
    return segment;
  }

  beginLife(targetDurationSec: number): Promise<void> {
    return this.#inOrder(async () => {
      await this.#settle();
      const { header, hasEntries } = this.#journal;
      const earlier = hasEntries ? (header?.targetDurationSec ?? 0) : 0;
      // Kept also when ending the earlier life fails: the next commit tries again.
      this.#pending = { life: (header?.life ?? this.#begin.lives) + 1, targetDurationSec: Math.max(targetDurationSec, earlier) };
      await this.#endLife();
    });
  }

  get pruning(): { readonly waitingBytes: number; readonly idle: boolean; readonly failures: number } {
    return this.#pruner.reaper;
  }

  prune(limits: PruneLimits): Promise<Pruned> {
    return this.#inOrder(async () => {
      await this.#settle();
      return this.#pruner.prune(limits, this.totals);
    });
  }

  stop(): Promise<void> {
    return this.#inOrder(async () => {
      await this.#settle();
      this.#pending = undefined;
      await this.#endLife();
      if (this.#last === undefined) return;
      this.#updateIndex('stopped');
      await this.#index.flush();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #type(): PlaylistHeader['type'] {
    return this.#retention ? undefined : 'EVENT';
  }

  async #close(): Promise<void> {
    const given = [...this.#open].map((segment) => segment.abort());
    await this.#serial;
    await Promise.all(given);
    await this.#pruner.reaper.close();
    await this.#index.flush();
    await this.#ownership.release();
  }

  /** Carries out `step` after all that were asked for before it, whether they failed or not. */
  #inOrder<T>(step: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(new LivetapeError('CLOSED', `the archive ${this.location} is closed`));
    const done = this.#serial.then(step);
    this.#serial = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  #commit(segment: Segment, facts: SegmentFacts, stored: Promise<void>): Promise<CommittedSegment> {
    const { clock, log, streamCode } = this.#options;
    const askedAtMs = clock.monotonicMs();
    return this.#inOrder(async () => {
      try {
        await stored;
        const committed = await this.#enter(segment, facts);
        const tookMs = Math.round(clock.monotonicMs() - askedAtMs);
        if (tookMs > SLOW_COMMIT_MS) log.warn({ stream: streamCode, index: segment.index, tookMs }, 'the medium is slow');
        return committed;
      } catch (error) {
        this.#lose({ index: segment.index, gap: facts.gap });
        throw toLivetapeError(error, 'STORAGE_FAILED', `segment ${segment.index} of ${streamCode} could not be stored`);
      }
    });
  }

  async #enter(segment: Segment, given: SegmentFacts): Promise<CommittedSegment> {
    await this.#settle();
    const last = this.#last;
    invariant(last === undefined || segment.index > last.index, 'segments are committed in the order in which they were opened');
    const facts = this.#afterLoss(segment.index, given);
    const { header } = this.#journal;
    const entry = entryOf(facts, {
      index: segment.index,
      uri: segmentName(segment.index),
      mediaSequence: last === undefined ? (header?.mediaSequence ?? this.#begin.mediaSequence) : last.mediaSequence + 1,
      discontinuitySequence:
        (last?.discontinuitySequence ?? header?.discontinuitySequence ?? this.#begin.discontinuitySequence) + (facts.discontinuity ? 1 : 0),
      sizeBytes: segment.sizeBytes,
      cumulativeBytes: (last?.cumulativeBytes ?? 0) + segment.sizeBytes,
      crc32: segment.crc32,
      epoch: this.#epoch,
    });
    const life = this.life;
    invariant(life, 'a life is begun before the first commit');
    checkFollows(last, entry, life.targetDurationSec);
    await this.#write(entry);
    return this.#entered(entry);
  }

  /** After a replacement that failed: goes on from what stands there. The header of a new life may have come through without its entry. */
  async #settle(): Promise<void> {
    await this.#journal.settle();
    this.#pruner.settle();
    const { header, ended } = this.#journal;
    if (this.#pending !== undefined && header?.life === this.#pending.life && !ended) this.#pending = undefined;
  }

  /** Appends the entry, or begins the new life with it. */
  async #write(entry: PlaylistEntry): Promise<void> {
    const text = renderEntry(entry);
    if (this.#pending === undefined) return this.#journal.append(text);
    await this.#endLife();
    const { header, hasEntries } = this.#journal;
    // Another system's header may not count what it has pruned.
    const first = !hasEntries ? undefined : header?.life === undefined ? this.#begin : header;
    const ownTag = entry.discontinuity ? 1 : 0;
    await this.#journal.replace({
      header: {
        version: Math.max(3, header?.version ?? 3),
        targetDurationSec: this.#pending.targetDurationSec,
        mediaSequence: first?.mediaSequence ?? entry.facts?.mediaSequence ?? 0,
        discontinuitySequence: first?.discontinuitySequence ?? (entry.facts?.discontinuitySequence ?? ownTag) - ownTag,
        type: this.#type,
        life: this.#pending.life,
        unknownTags: header?.unknownTags ?? [],
        unknownKeys: header?.unknownKeys ?? [],
      },
      ended: false,
      entry: text,
    });
    this.#pending = undefined;
  }

  /** Writes an open life that has entries as VOD with ENDLIST. Another system's playlist stays as it is until a life of ours takes its entries over. */
  async #endLife(): Promise<void> {
    const { header, hasEntries, ended } = this.#journal;
    if (header?.life === undefined || !hasEntries || ended) return;
    await this.#journal.replace({ header: { ...header, type: 'VOD' }, ended: true });
  }

  /** Entries are to leave an EVENT playlist: what goes on is a life of another type. */
  async #endForPruning(): Promise<void> {
    const resumed = this.life;
    this.#retention = true;
    await this.#endLife();
    if (resumed !== undefined) this.#pending ??= { life: (this.#journal.header?.life ?? 0) + 1, ...resumed };
  }

  #pruned(plan: PrunePlan): void {
    this.#segmentCount -= plan.segmentCount;
    this.#sizeBytes -= plan.sizeBytes;
    this.#startedAtMs = plan.startedAtMs;
    this.#gaps.dropBefore(plan.startedAtMs);
    // A prune of what has ended was a life by itself.
    const life = plan.header.life ?? 0;
    if (this.#pending !== undefined && this.#journal.ended)
      this.#pending = { ...this.#pending, life: Math.max(this.#pending.life, life + 1) };
    this.#updateIndex(this.#journal.ended ? 'stopped' : 'recording');
  }

  #entered(entry: PlaylistEntry): CommittedSegment {
    invariant(entry.facts && entry.wallMs !== undefined, 'an entry of ours has facts');
    const committed = segmentOf(entry, entry.facts, entry.wallMs);
    this.#last = committed;
    this.#segmentCount += 1;
    this.#sizeBytes += committed.sizeBytes;
    this.#startedAtMs ??= committed.wallMs;
    if (committed.gap) this.#gaps.add(committed.gap);
    this.#lost = this.#lost.filter((lost) => lost.index > committed.index);
    this.#updateIndex('recording');
    return committed;
  }

  /** Remembers the earliest ones: as long as the medium fails every segment is lost, and the first says as much as all of them. */
  #lose(lost: Lost): void {
    this.#lost.push(lost);
    if (this.#lost.length > MAX_LOST) this.#lost.splice(MAX_LOST - 1, 1);
  }

  /** What the entry has to say when segments before it were lost on the way to the medium. */
  #afterLoss(index: number, facts: SegmentFacts): SegmentFacts {
    const lost = this.#lost.filter((before) => before.index < index);
    if (lost.length === 0 || this.#last === undefined) return facts;
    const fromMs = endMs(this.#last);
    const reason = facts.gap?.reason ?? lost.find((before) => before.gap !== undefined)?.gap?.reason ?? 'disk';
    const gap = facts.wallMs - fromMs > MIN_GAP_MS ? { fromMs, toMs: facts.wallMs, reason } : undefined;
    return { ...facts, discontinuity: true, gap };
  }

  #updateIndex(status: 'recording' | 'stopped'): void {
    this.#index.update({
      streamCode: this.#options.streamCode,
      status,
      startedAtMs: this.#startedAtMs,
      lastSegmentAtMs: this.#last && endMs(this.#last),
      segmentCount: this.#segmentCount,
      sizeBytes: this.#sizeBytes,
      nextIndex: this.#nextIndex,
      epoch: this.#epoch,
      gaps: this.#gaps.list(),
    });
  }
}
