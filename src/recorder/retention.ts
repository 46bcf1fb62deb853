/**
 * Retention over all streams of a service: a janitor each for age and size, driven by commits and by a timer, and one watch over the free
 * space of each disk (docs/design/keeping.md). A failure here never reaches a recording: it is logged, counted and tried again.
 */
import { TrustedTime, type ArchiveIndex, type ArchiveWriter, type CommittedSegment, type PruneLimits } from '../archive/index.js';
import { isLivetapeError, type Clock, type Logger, type Timer } from '../base/index.js';
import { ticksToMs, type StreamCode } from '../model/index.js';
import type { Storage } from '../storage/index.js';
import { FreeSpace, type SpaceUser } from './freeSpace.js';
import { ServedReaches } from './reaches.js';
import type { RetainedStream, RetentionLimits, Watched } from './retentionStream.js';

/** How often streams that do not commit are looked at. */
const TICK_MS = 10_000;
/** Media that has not come for so long does not come: the clock alone tells the time then. */
const SILENT_MS = 60_000;
/** One that is owned by another, or could not be opened, is not tried again before this. */
const TRY_AGAIN_MS = 60_000;
/** A stopped recording of which nothing could go is not opened again before this. */
const LEAVE_ALONE_MS = 600_000;
const BYTES_PER_GB = 1e9;

/** What retention has done to a recording since it was started. */
export interface RetentionStatus {
  readonly prunedSegments: number;
  readonly prunedBytes: number;
  /** Files that were removed without their grace, because the disk was full. */
  readonly graceSkipped: number;
  /** Prunes that failed; they are tried again. */
  readonly failures: number;
  /** The clock made a step that is not believed (yet), or recorded time is ahead of it (K10): age deletes little or nothing meanwhile. */
  readonly clockInDoubt: boolean;
}

/** What retention is given. */
export interface RetentionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes to keep free on each disk; 0 for no such care. */
  readonly minFreeBytes: number;
  /** Somebody else keeps the disks free and asks for it with `pruneFor`; here a full disk alone is seen to, by what is recorded here. */
  readonly freeSpaceElsewhere: boolean;
  /** Opens an archive that nobody records. */
  openArchive(storage: Storage, code: StreamCode): Promise<ArchiveWriter>;
  pruned(code: StreamCode, segmentCount: number, sizeBytes: number): void;
}

/** The janitors of one service. */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #streams = new Map<StreamCode, Watched>();
  /** Stopped streams that are about to be recorded. */
  readonly #paused = new Map<StreamCode, Watched>();
  readonly #free: FreeSpace | undefined;
  readonly #reaches: ServedReaches;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#reaches = new ServedReaches(options.clock);
    if (options.minFreeBytes > 0) {
      const elsewhere = options.freeSpaceElsewhere;
      this.#free = new FreeSpace({
        ...options,
        minFreeBytes: elsewhere ? 0 : options.minFreeBytes,
        openArchive: elsewhere ? undefined : (storage, code) => options.openArchive(storage, code),
        users: () => this.users(),
        graceMs: (code) => this.#reaches.graceMs(code),
      });
    }
  }

  /** The streams that can be pruned for their disks' sake. */
  users(): SpaceUser[] {
    return [...this.#streams.values()].map((watched) => this.#userOf(watched));
  }

  /** One of them; undefined when there is no such stream here. */
  user(code: StreamCode): SpaceUser | undefined {
    const watched = this.#streams.get(code);
    return watched && this.#userOf(watched);
  }

  /** A playlist of the stream that reaches so far back from now was served (K8). */
  served(code: StreamCode, reachMs: number): void {
    this.#reaches.served(code, reachMs);
  }

  #userOf(watched: Watched): SpaceUser {
    const { stream } = watched;
    const writer = (): ArchiveWriter | undefined => (watched.recording ? stream.archive() : watched.opened);
    return {
      code: stream.code,
      storage: stream.storage,
      get startedAtMs() {
        return watched.recording ? stream.archive()?.totals.startedAtMs : watched.rest.startedAtMs;
      },
      get waitingBytes() {
        return writer()?.pruning.waitingBytes ?? 0;
      },
      get idle() {
        return writer()?.pruning.idle ?? true;
      },
      prune: async (limits) => (await this.#inTurn(watched, () => this.#prune(watched, limits))) ?? 0,
    };
  }

  /** Whether entries may leave a stream of these limits: then its playlist has no type. */
  mayPrune(limits: RetentionLimits): boolean {
    return limits.retentionSec > 0 || limits.maxSizeGb > 0 || this.#options.minFreeBytes > 0;
  }

  /** A recording is to begin: lets go of the stream's archive. What waits to be removed then is the next open's to remove. */
  async starting(code: StreamCode): Promise<void> {
    const watched = this.#streams.get(code);
    if (watched !== undefined) this.#paused.set(code, watched);
    await this.#free?.release(code);
    await this.#release(code);
  }

  /** It did not: what was stopped goes on to be pruned. */
  notStarted(code: StreamCode): void {
    this.#free?.admit(code);
    const watched = this.#paused.get(code);
    if (watched === undefined || this.#closed) return;
    this.#paused.delete(code);
    watched.released = false;
    this.#streams.set(code, watched);
  }

  /** A recording begins. */
  started(stream: RetainedStream): void {
    this.#free?.admit(stream.code);
    this.#paused.delete(stream.code);
    this.#watch(stream, true, { startedAtMs: undefined, endMs: undefined, segmentCount: 0, sizeBytes: 0, targetMs: 0 });
  }

  /** Sees to a stream that nobody records here; `index` tells what there is of it. */
  watch(stream: RetainedStream, index: ArchiveIndex): void {
    // Its size is known when it was opened.
    const { segmentCount } = index;
    const sizeBytes = Infinity;
    const [startedAtMs, endMs] = [index.startedAt?.getTime(), index.lastSegmentAt?.getTime()];
    this.#watch(stream, false, { startedAtMs, endMs, segmentCount, sizeBytes, targetMs: 0 });
  }

  #watch(stream: RetainedStream, recording: boolean, rest: Watched['rest']): void {
    this.#streams.set(stream.code, {
      stream,
      time: new TrustedTime(this.#options.clock),
      recording,
      committedAtMs: undefined,
      rest,
      opened: undefined,
      released: false,
      notBeforeMs: -Infinity,
      toldDoubt: undefined,
      status: { prunedSegments: 0, prunedBytes: 0, graceSkipped: 0, failures: 0 },
      work: Promise.resolve(),
      waiting: false,
    });
    this.#timer ??= this.#options.clock.every(TICK_MS, () => this.#tick());
    this.#look(stream.code);
  }

  /** A segment was written. */
  committed(code: StreamCode): void {
    const watched = this.#streams.get(code);
    if (watched === undefined) return;
    watched.committedAtMs = this.#options.clock.monotonicMs();
    this.#look(code);
    this.#lookAtDisk(watched);
  }

  /** A segment could not be stored because the disk is full. */
  full(code: StreamCode): void {
    const watched = this.#streams.get(code);
    if (watched !== undefined) void this.#free?.look(watched.stream.storage, code, true);
  }

  /** A recording was stopped: it is pruned all the same, as long as this service lives. */
  stopped(code: StreamCode): void {
    const watched = this.#streams.get(code);
    if (watched === undefined) return;
    const archive = watched.stream.archive();
    watched.recording = false;
    if (archive === undefined || archive.totals.segmentCount === 0 || !this.mayPrune(watched.stream.limits)) this.#streams.delete(code);
    else remember(watched, archive);
  }

  /** Changes what is kept of a stream; it holds from the next look on, which is now. False when this service has no such stream. */
  setLimits(code: StreamCode, limits: RetentionLimits): boolean {
    const watched = this.#streams.get(code);
    if (watched === undefined) return false;
    watched.stream.limits = limits;
    watched.notBeforeMs = -Infinity;
    this.#look(code);
    return true;
  }

  status(code: StreamCode): RetentionStatus {
    const watched = this.#streams.get(code);
    const { prunedSegments = 0, prunedBytes = 0, graceSkipped = 0, failures = 0 } = watched?.status ?? {};
    return { prunedSegments, prunedBytes, graceSkipped, failures, clockInDoubt: watched?.time.doubt !== undefined };
  }

  /** Kept when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#free?.close();
    await Promise.all([...this.#streams.keys()].map((code) => this.#release(code)));
  }

  async #release(code: StreamCode): Promise<void> {
    const watched = this.#streams.get(code);
    this.#streams.delete(code);
    if (watched === undefined) return;
    watched.released = true;
    await watched.work;
    await closeOpened(watched);
  }

  #tick(): void {
    for (const [code, watched] of this.#streams) {
      this.#look(code);
      this.#lookAtDisk(watched);
    }
  }

  #lookAtDisk({ stream }: Watched): void {
    if (!this.#options.freeSpaceElsewhere) void this.#free?.look(stream.storage, stream.code, false);
  }

  /** Prunes a stream by age and size; one look at a time, and one that waits. */
  #look(code: StreamCode): void {
    const watched = this.#streams.get(code);
    if (watched === undefined || watched.waiting || this.#closed) return;
    watched.waiting = true;
    void this.#inTurn(watched, async () => {
      watched.waiting = false;
      if (watched.released) return;
      const limits = this.#limits(watched);
      if (watched.recording) {
        const archive = watched.stream.archive();
        if (archive !== undefined) await this.#pruneArchive(watched, archive, limits);
        return;
      }
      if (watched.opened?.pruning.idle === true) await closeOpened(watched);
      if (watched.opened === undefined && this.#isDue(watched, limits) && (await this.#prune(watched, limits)) === 0) {
        watched.notBeforeMs = this.#options.clock.monotonicMs() + LEAVE_ALONE_MS;
      }
    });
  }

  /** Never rejects. */
  #inTurn<T>(watched: Watched, step: () => Promise<T>): Promise<T | undefined> {
    const done = watched.work.then(step).catch((error: unknown) => {
      if (!watched.recording) watched.notBeforeMs = this.#options.clock.monotonicMs() + TRY_AGAIN_MS;
      // It was stopped or broke meanwhile, or somebody else records it: theirs to prune.
      if (isLivetapeError(error, 'CLOSED') || isLivetapeError(error, 'STREAM_OWNED')) return undefined;
      watched.status.failures += 1;
      this.#options.log.warn({ stream: watched.stream.code, err: error }, 'retention failed; it is tried again');
      return undefined;
    });
    watched.work = done.then(() => undefined);
    return done;
  }

  #limits(watched: Watched): PruneLimits {
    const { clock } = this.#options;
    const { retentionSec, maxSizeGb } = watched.stream.limits;
    const archive = watched.stream.archive();
    const last = archive?.last;
    const newestEndMs = watched.recording ? endOf(last) : watched.rest.endMs;
    const mediaComes = watched.recording && watched.committedAtMs !== undefined && clock.monotonicMs() - watched.committedAtMs < SILENT_MS;
    // Looked at even where no age is set, so that a limit that is set later finds a time that is known.
    const trustedMs = watched.time.look({ newestEndMs, mediaComes, retentionMs: retentionSec * 1000, gaps: archive?.totals.gaps ?? [] });
    if (retentionSec > 0) this.#tellDoubt(watched, newestEndMs, trustedMs);
    return {
      endedBeforeMs: retentionSec > 0 ? trustedMs - retentionSec * 1000 : undefined,
      maxBytes: maxSizeGb > 0 ? Math.floor(maxSizeGb * BYTES_PER_GB) : undefined,
    };
  }

  /** Once for each doubt. */
  #tellDoubt(watched: Watched, newestEndMs: number | undefined, trustedMs: number): void {
    const { doubt } = watched.time;
    if (doubt === watched.toldDoubt) return;
    watched.toldDoubt = doubt;
    if (doubt === undefined) return;
    const { clock, log } = this.#options;
    const times = { clock: clock.nowMs(), trusted: trustedMs, newest: newestEndMs };
    const facts = Object.fromEntries(Object.entries(times).flatMap(([name, ms]) => (ms === undefined ? [] : [[name, isoOf(ms)]])));
    const what =
      doubt === 'ahead'
        ? 'recorded time is ahead of the clock: little or nothing is deleted by age until the clock is there'
        : 'the clock has stepped: age is judged by the time before it for an hour, and then catches up a day in an hour';
    log.warn({ stream: watched.stream.code, ...facts }, what);
  }

  /** Whether it is worth opening a stopped recording. */
  #isDue({ rest, notBeforeMs }: Watched, { endedBeforeMs, maxBytes }: PruneLimits): boolean {
    if (rest.segmentCount < 2 || this.#options.clock.monotonicMs() < notBeforeMs) return false;
    if (maxBytes !== undefined && rest.sizeBytes > maxBytes) return true;
    if (endedBeforeMs === undefined || rest.startedAtMs === undefined || rest.endMs === undefined) return false;
    return endedBeforeMs > rest.startedAtMs + Math.max(rest.targetMs, (rest.endMs - rest.startedAtMs) / 64);
  }

  /** Prunes a stream, opening its archive when it is not being recorded; answers with the bytes that left. */
  async #prune(watched: Watched, limits: PruneLimits): Promise<number> {
    const { stream } = watched;
    // Somebody asked before it was let go of: opened now, nobody would close it.
    if (watched.released) return 0;
    if (watched.recording) {
      const archive = stream.archive();
      return archive === undefined ? 0 : this.#pruneArchive(watched, archive, limits);
    }
    watched.opened ??= await this.#options.openArchive(stream.storage, stream.code);
    try {
      return await this.#pruneArchive(watched, watched.opened, limits);
    } finally {
      remember(watched, watched.opened);
      // Else it stays open until the grace is over.
      if (watched.opened.pruning.idle) await closeOpened(watched);
    }
  }

  async #pruneArchive(watched: Watched, archive: ArchiveWriter, limits: PruneLimits): Promise<number> {
    const graceMs = this.#reaches.graceMs(watched.stream.code);
    const { segmentCount, sizeBytes, early } = await archive.prune({ ...limits, graceMs });
    watched.status.graceSkipped += early;
    if (segmentCount > 0) {
      watched.status.prunedSegments += segmentCount;
      watched.status.prunedBytes += sizeBytes;
      this.#options.pruned(watched.stream.code, segmentCount, sizeBytes);
    }
    return sizeBytes;
  }
}

function endOf(last: CommittedSegment | undefined): number | undefined {
  return last === undefined ? undefined : last.wallMs + ticksToMs(last.duration90k);
}

/** For the log; a clock can be set beyond what a date can say. */
function isoOf(ms: number): string | number {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : ms;
}

function remember(watched: Watched, archive: ArchiveWriter): void {
  const { startedAtMs, segmentCount, sizeBytes } = archive.totals;
  const targetMs = archive.last === undefined ? 0 : ticksToMs(archive.last.duration90k);
  watched.rest = { startedAtMs, endMs: endOf(archive.last), segmentCount, sizeBytes, targetMs };
}

async function closeOpened(watched: Watched): Promise<void> {
  const { opened } = watched;
  watched.opened = undefined;
  await opened?.close();
}
