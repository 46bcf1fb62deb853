/**
 * Carries out what the segmenter decides: takes the bytes of a segment out of the reader, hands them to the
 * archive in large writes, and commits segments strictly one after another. Of a segment that cannot be stored the archive makes a
 * gap before the next that can.
 */
import type { ArchiveWriter, CommittedSegment, SegmentFacts, SegmentWriter } from '../archive/index.js';
import { toLivetapeError, type Clock, type ErrorCode, type LivetapeError } from '../base/index.js';
import type { GapReason } from '../model/index.js';
import type { ScanErrors, TsReader } from '../mpegts/index.js';
import type { EndedSegment, Head, SegmenterSink } from '../segmenter/index.js';
import type { LiveFeed } from './liveFeed.js';

/**
 * What the archive that is open cannot go on after: it was taken over, its folder was removed or another is in its place, its playlist is not what was
 * written (docs/design/keeping.md, K5, K7), or a fault of ours. What is there then has to be opened anew.
 */
const OPENED_ANEW: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['OWNERSHIP_LOST', 'ARCHIVE_CORRUPT', 'INVARIANT_BROKEN']);

/** What the pipe tells the session. */
export interface PipeEvents {
  /** @param commitSec - from its end to its entry */
  written(segment: CommittedSegment, commitSec: number): void;
  /** A segment could not be stored. */
  lost(error: LivetapeError): void;
  /** The archive cannot go on and has to be opened anew. */
  broken(error: LivetapeError): void;
  signalLost(fromMs: number, reason: GapReason): void;
  signalBack(): void;
  /** Bytes were given back by the archive. */
  relieved(): void;
}

/** What a pipe is made of. */
export interface PipeOptions {
  readonly reader: TsReader;
  readonly archive: ArchiveWriter;
  /** Who watches gets the bytes that are handed to the archive. */
  readonly live: LiveFeed;
  readonly clock: Clock;
  readonly events: PipeEvents;
}

interface Filling {
  readonly writer: SegmentWriter;
  readonly position: number;
  readonly headBytes: number;
  readonly errorsBefore: ScanErrors;
}

/** One session's way from the reader to the archive. */
export class SegmentPipe implements SegmenterSink {
  readonly #reader: TsReader;
  readonly #archive: ArchiveWriter;
  readonly #live: LiveFeed;
  readonly #clock: Clock;
  readonly #events: PipeEvents;
  /** Those who watch have everything before it. */
  #shown = 0;
  #filling: Filling | undefined;
  #commits: Promise<unknown> = Promise.resolve();
  #failure: LivetapeError | undefined;
  #pendingBytes = 0;
  #isBroken = false;

  constructor(options: PipeOptions) {
    this.#reader = options.reader;
    this.#archive = options.archive;
    this.#live = options.live;
    this.#clock = options.clock;
    this.#events = options.events;
  }

  /** Bytes handed to the archive and not yet written. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Gives those who watch everything before `position`. The archive gets it when it is worth a write. */
  show(position: number): void {
    if (!this.#filling || position <= this.#shown) return;
    this.#reader.peek(this.#shown, position, (bytes) => this.#live.data(bytes));
    this.#shown = position;
  }

  /** Hands on everything before `position`; what belongs to no segment is left out. */
  flush(position: number): void {
    const filling = this.#filling;
    if (!filling) {
      this.#reader.drop(position);
      return;
    }
    this.show(position);
    this.#reader.take(position, (bytes, release) => this.#write(filling.writer, bytes, release));
  }

  /**
   * Kept when every commit asked for so far is done. Never rejects.
   * @returns what the newest commit failed with, when it did
   */
  async settled(): Promise<LivetapeError | undefined> {
    await this.#commits;
    return this.#failure;
  }

  begin(position: number, head: Head | undefined, joinable: boolean): void {
    this.#reader.drop(position);
    const writer = this.#archive.openSegment();
    const bytes = head?.render();
    this.#filling = { writer, position, headBytes: bytes?.length ?? 0, errorsBefore: { ...this.#reader.errors } };
    this.#shown = position;
    this.#live.begin(joinable);
    if (!bytes) return;
    this.#live.data(bytes);
    this.#write(writer, bytes, () => undefined);
  }

  end(position: number, segment: EndedSegment): void {
    const filling = this.#filling;
    if (!filling) return;
    this.flush(position);
    this.#filling = undefined;
    this.#live.over();
    const endedAtMs = this.#clock.monotonicMs();
    const facts = this.#facts(filling, segment);
    // Asked for at once: the archive enters segments in the order in which they are committed.
    const entered = filling.writer.commit(facts);
    this.#follow(entered.then((committed) => this.#events.written(committed, (this.#clock.monotonicMs() - endedAtMs) / 1000)));
  }

  life(targetDurationSec: number): void {
    this.#follow(this.#archive.beginLife(targetDurationSec));
  }

  signalLost(fromMs: number, reason: GapReason): void {
    this.#events.signalLost(fromMs, reason);
  }

  signalBack(): void {
    this.#events.signalBack();
  }

  tables(): Head | undefined {
    return this.#reader.tables();
  }

  /** Gives up the segment that is being filled. */
  async abort(): Promise<void> {
    const filling = this.#filling;
    this.#filling = undefined;
    await this.#commits;
    await filling?.writer.abort();
  }

  #write(writer: SegmentWriter, bytes: Uint8Array, release: () => void): void {
    const sizeBytes = bytes.length;
    this.#pendingBytes += sizeBytes;
    const done = (): void => {
      this.#pendingBytes -= sizeBytes;
      release();
      this.#events.relieved();
    };
    writer.write(bytes).then(done, (cause: unknown) => {
      done();
      // Any other failure of a write is that of the commit, which is where it is dealt with. This one is not waited with: the segment's end may be a minute away.
      const error = toLivetapeError(cause, 'STORAGE_FAILED', 'the segment could not be written');
      if (OPENED_ANEW.has(error.code)) this.#break(error);
    });
  }

  /** Said once: what follows in a session that has ended fails with the same. */
  #break(error: LivetapeError): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#events.broken(error);
  }

  /** Tells how a step of the archive ended. */
  #follow(step: Promise<void>): void {
    const told = step.then(
      () => (this.#failure = undefined),
      (cause: unknown) => {
        const error = toLivetapeError(cause, 'STORAGE_FAILED', 'the segment could not be stored');
        this.#failure = error;
        if (OPENED_ANEW.has(error.code)) this.#break(error);
        else this.#events.lost(error);
      },
    );
    this.#commits = Promise.all([this.#commits, told]);
  }

  #facts(filling: Filling, segment: EndedSegment): SegmentFacts {
    const now = this.#reader.errors;
    const before = filling.errorsBefore;
    return {
      discontinuity: segment.discontinuity,
      wallMs: segment.wallMs,
      duration90k: segment.duration90k,
      pts: segment.pts,
      keyframes: segment.keyframes.map(({ position, pts90k }) => ({
        offsetBytes: filling.headBytes + position - filling.position,
        pts90k,
      })),
      headBytes: filling.headBytes,
      forced: segment.forced,
      lostBytes: segment.lostBytes,
      errors: {
        continuity: now.continuity - before.continuity,
        transportError: now.transportError - before.transportError,
        syncSkippedBytes: now.syncSkippedBytes - before.syncSkippedBytes,
        scrambled: now.scrambled - before.scrambled,
      },
      gap: segment.gap,
    };
  }
}
