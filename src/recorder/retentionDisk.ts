/**
 * Free space: when a disk has less than it should, the oldest segments of all streams on it go first, also of streams that nobody records
 * (docs/design/keeping.md). What waits for the end of its grace counts as free already, unless the disk is full.
 */
import { loadIndex, type ArchiveWriter, type PruneLimits } from '../archive/index.js';
import { isLivetapeError, type Clock, type Logger, type Timer } from '../base/index.js';
import type { StreamCode } from '../model/index.js';
import type { Disk, Storage } from '../storage/index.js';
import type { RetainedStream, Watched } from './retentionStream.js';

/** How often a disk is looked at, unless a segment could not be stored. */
const LOOK_EVERY_MS = 1000;
/** How long the list of streams that nobody records here is good for. */
const LIST_EVERY_MS = 60_000;
/** One that is owned by another, or could not be pruned, is not tried again before this. */
const TRY_AGAIN_MS = 60_000;
/** Between two warnings that nothing can be pruned. */
const WARN_EVERY_MS = 60_000;
/** Batches pruned at one look at most; the next look goes on. */
const MAX_BATCHES = 1000;

/** What it is given. */
export interface FreeSpaceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly minFreeBytes: number;
  streams(): Iterable<Watched>;
  /** Prunes a stream of the service; answers with the bytes that left the playlist. Never rejects. */
  prune(watched: Watched, limits: PruneLimits): Promise<number | undefined>;
  openArchive(storage: Storage, code: StreamCode): Promise<ArchiveWriter>;
  pruned(code: StreamCode, segmentCount: number, sizeBytes: number): void;
}

/** Something on the disk that can be pruned. */
interface Candidate {
  readonly code: StreamCode;
  startedAtMs: number | undefined;
  /** Its archive, when it is open. */
  writer(): ArchiveWriter | undefined;
  prune(limits: PruneLimits): Promise<{ readonly bytes: number; readonly startedAtMs: number | undefined }>;
}

interface Other {
  readonly code: StreamCode;
  readonly storage: Storage;
  readonly diskId: string;
  startedAtMs: number;
}

/** The looks at one disk. */
interface Look {
  /** One that lies on it. */
  readonly stream: RetainedStream;
  running: Promise<void> | undefined;
  full: boolean;
  atMs: number;
}

/** Watches over the free space of every disk that the service records on. */
export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  readonly #looks = new Map<string, Look>();
  readonly #timer: Timer;
  readonly #opened = new Map<StreamCode, ArchiveWriter>();
  /** Streams that are about to be recorded. */
  readonly #busy = new Set<StreamCode>();
  /** Streams that are left alone for a while, and until when. */
  readonly #notBefore = new Map<StreamCode, number>();
  #failures = 0;
  #others: { readonly list: Other[]; readonly atMs: number } | undefined;
  #warnedAtMs = -Infinity;
  #closed = false;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
    // Between two commits a disk can lose a segment of every stream.
    this.#timer = options.clock.every(LOOK_EVERY_MS, () => {
      for (const { stream } of this.#looks.values()) void this.look(stream, false);
    });
  }

  /** Looks at the disk of a stream. Never rejects. */
  async look(stream: RetainedStream, full: boolean): Promise<void> {
    try {
      const { id } = await stream.storage.disk(stream.code);
      const look = this.#looks.get(id) ?? { stream, running: undefined, full: false, atMs: -Infinity };
      this.#looks.set(id, look);
      look.full ||= full;
      const nowMs = this.#options.clock.monotonicMs();
      if (this.#closed || look.running || (!look.full && nowMs - look.atMs < LOOK_EVERY_MS)) return await look.running;
      look.atMs = nowMs;
      look.running = this.#relieve(stream, look).finally(() => (look.running = undefined));
      await look.running;
    } catch (error) {
      this.#options.log.warn({ stream: stream.code, err: error }, 'the free space could not be seen to; it is tried again');
    }
  }

  /** Lets go of a stream that is to be recorded, and leaves it alone until it is admitted. */
  async release(code: StreamCode): Promise<void> {
    this.#busy.add(code);
    await this.#settled();
    await this.#letGo(code);
  }

  /** It is being recorded, or is not to be. */
  admit(code: StreamCode): void {
    this.#busy.delete(code);
    this.#others = undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#settled();
    await Promise.all([...this.#opened.keys()].map((code) => this.#letGo(code)));
  }

  async #settled(): Promise<void> {
    await Promise.allSettled([...this.#looks.values()].flatMap(({ running }) => running ?? []));
  }

  async #letGo(code: StreamCode): Promise<void> {
    const archive = this.#opened.get(code);
    this.#opened.delete(code);
    await archive?.close();
  }

  async #relieve(stream: RetainedStream, look: { full: boolean }): Promise<void> {
    const { minFreeBytes } = this.#options;
    for (const [code, archive] of this.#opened) {
      if (!archive.pruning.idle) continue;
      this.#opened.delete(code);
      await archive.close();
    }
    const { full } = look;
    look.full = false;
    let disk = await stream.storage.disk(stream.code);
    if (!full && disk.freeBytes >= minFreeBytes) return;
    const candidates = await this.#candidates(disk);
    // Less than half of what should be free: the grace cannot be waited for.
    const atOnce = full || disk.freeBytes < minFreeBytes / 2;
    if (atOnce) {
      for (const candidate of candidates) if (candidate.writer()) await candidate.prune({ atOnce });
      disk = await stream.storage.disk(stream.code);
    }
    const waiting = candidates.reduce((sum, candidate) => sum + (candidate.writer()?.pruning.waitingBytes ?? 0), 0);
    const missing = minFreeBytes - disk.freeBytes - waiting;
    // Where a quota is what is full, the free space does not show it: a batch goes in any case.
    await this.#prune(candidates, full ? Math.max(missing, 1) : missing, atOnce);
  }

  async #prune(candidates: Candidate[], missingBytes: number, atOnce: boolean): Promise<void> {
    let missing = missingBytes;
    for (let batches = 0; missing > 0 && batches < MAX_BATCHES && !this.#closed; batches++) {
      candidates.sort((a, b) => (a.startedAtMs ?? Infinity) - (b.startedAtMs ?? Infinity));
      const oldest = candidates[0];
      if (oldest?.startedAtMs === undefined) {
        this.#warn(missing);
        return;
      }
      // One byte asks for a batch, which is the least that goes.
      const { bytes, startedAtMs } = await oldest.prune({ freeBytes: 1, atOnce });
      oldest.startedAtMs = bytes > 0 ? startedAtMs : undefined;
      missing -= bytes;
    }
  }

  /** Not at every look. */
  #warn(missingBytes: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = nowMs;
    this.#options.log.warn({ missingBytes }, 'the disk has less free space than it should, and nothing more can be pruned');
  }

  async #candidates(disk: Disk): Promise<Candidate[]> {
    const found: Candidate[] = [];
    const known = new Set<StreamCode>();
    for (const watched of this.#options.streams()) {
      known.add(watched.stream.code);
      if (this.#busy.has(watched.stream.code)) continue;
      if ((await watched.stream.storage.disk(watched.stream.code)).id !== disk.id) continue;
      const startedAtMs = (): number | undefined =>
        watched.recording ? watched.stream.archive()?.totals.startedAtMs : watched.rest.startedAtMs;
      found.push({
        code: watched.stream.code,
        startedAtMs: startedAtMs(),
        writer: () => (watched.recording ? watched.stream.archive() : watched.opened),
        prune: async (limits) => ({ bytes: (await this.#options.prune(watched, limits)) ?? 0, startedAtMs: startedAtMs() }),
      });
    }
    for (const other of await this.#listOthers()) {
      if (known.has(other.code) || this.#busy.has(other.code) || other.diskId !== disk.id) continue;
      if (this.#options.clock.monotonicMs() < (this.#notBefore.get(other.code) ?? -Infinity)) continue;
      const writer = (): ArchiveWriter | undefined => this.#opened.get(other.code);
      found.push({ code: other.code, startedAtMs: other.startedAtMs, writer, prune: (limits) => this.#pruneOther(other, limits) });
    }
    return found;
  }

  /** The streams under the same roots that this service does not record. */
  async #listOthers(): Promise<Other[]> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#others !== undefined && nowMs - this.#others.atMs < LIST_EVERY_MS) return this.#others.list;
    const list: Other[] = [];
    const known = new Set([...this.#options.streams()].map(({ stream }) => stream.code));
    for (const storage of new Set([...this.#options.streams()].map(({ stream }) => stream.storage))) {
      for await (const code of storage.list()) {
        if (known.has(code)) continue;
        // One whose index cannot be read is left alone until it was recorded or repaired.
        const index = await loadIndex(storage.stream(code)).catch(() => undefined);
        const startedAtMs = index?.startedAt?.getTime();
        if (startedAtMs !== undefined && (index?.segmentCount ?? 0) > 1)
          list.push({ code, storage, diskId: (await storage.disk(code)).id, startedAtMs });
      }
    }
    this.#others = { list, atMs: nowMs };
    return list;
  }

  async #pruneOther(other: Other, limits: PruneLimits): Promise<{ bytes: number; startedAtMs: number | undefined }> {
    try {
      const archive = this.#opened.get(other.code) ?? (await this.#options.openArchive(other.storage, other.code));
      this.#opened.set(other.code, archive);
      const { segmentCount, sizeBytes } = await archive.prune(limits);
      if (segmentCount > 0) this.#options.pruned(other.code, segmentCount, sizeBytes);
      other.startedAtMs = archive.totals.startedAtMs ?? Infinity;
      return { bytes: sizeBytes, startedAtMs: other.startedAtMs };
    } catch (error) {
      this.#notBefore.set(other.code, this.#options.clock.monotonicMs() + TRY_AGAIN_MS);
      // Owned by somebody else: theirs to prune.
      if (!isLivetapeError(error, 'STREAM_OWNED')) {
        this.#failures += 1;
        const facts = { stream: other.code, err: error, failures: this.#failures };
        this.#options.log.warn(facts, 'a stream that is not recorded here could not be pruned; it is tried again');
      }
      return { bytes: 0, startedAtMs: undefined };
    }
  }
}
