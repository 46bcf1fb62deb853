/**
 * Free space: when a disk has less than it should, the oldest segments of all streams on it go first, also of streams that nobody records
 * (docs/design/keeping.md). What waits for the end of its grace counts as free already, unless the disk is full. The keeper asks streams for what it
 * needs, so they may be in this process or recorded in others (server.md, R6).
 */
import { loadIndex, type ArchiveWriter, type PruneLimits } from '../archive/index.js';
import { isLivetapeError, type Clock, type Logger, type Timer } from '../base/index.js';
import type { StreamCode } from '../model/index.js';
import type { Disk, Storage } from '../storage/index.js';

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

/** How much is to go from a stream because its disk is short of it. */
export type SpaceLimits = Pick<PruneLimits, 'freeBytes' | 'atOnce'>;

/** A stream that can be pruned for its disk's sake. Plain data: it crosses processes. */
export interface PruneCandidate {
  readonly code: StreamCode;
  /** The root it lies under, as `storagePath` of its configuration names it. */
  readonly storagePath: string;
  /** When its oldest segment begins; undefined when it has none. UTC milliseconds. */
  readonly startedAtMs: number | undefined;
  /** Bytes of files that have left the playlist and wait for the end of their grace. */
  readonly waitingBytes: number;
  /** No file waits. */
  readonly idle: boolean;
}

/** What a prune for the disk's sake did. */
export interface SpacePruned {
  /** That left the playlist. */
  readonly bytes: number;
  /** The stream after it; undefined when it is not here any more. */
  readonly candidate: PruneCandidate | undefined;
}

/** A stream as the keeper sees it. Its facts are those of the moment at which they are read. */
export interface SpaceUser extends Omit<PruneCandidate, 'storagePath'> {
  readonly storage: Storage;
  /**
   * Lets at least `freeBytes` of its oldest segments go, and with `atOnce` whatever waits; answers with the bytes that left the playlist, when the facts above say
   * so too. Where it rejects the stream is passed over until the next look.
   */
  prune(limits: SpaceLimits): Promise<number>;
}

/** What the keeper is given. */
export interface FreeSpaceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0: only a full disk counts, of which nobody knows how much is missing; a batch of the oldest goes. */
  readonly minFreeBytes: number;
  /** The streams that are recorded, and those that were stopped and are still seen to. */
  users(): Iterable<SpaceUser>;
  /** Opens one that is not among them but lies under the same root. Undefined: others are none of this keeper's business. */
  readonly openArchive: ((storage: Storage, code: StreamCode) => Promise<ArchiveWriter>) | undefined;
  /** How long the files of such a one wait at least (K8). */
  graceMs(code: StreamCode): number;
  /** Segments left one that was opened. */
  pruned(code: StreamCode, segmentCount: number, sizeBytes: number): void;
}

interface Other {
  readonly code: StreamCode;
  readonly storage: Storage;
  readonly diskId: string;
  startedAtMs: number;
}

/** The looks at one disk. */
interface Look {
  /** A stream that lies on it. */
  readonly storage: Storage;
  readonly code: StreamCode;
  running: Promise<void> | undefined;
  full: boolean;
  atMs: number;
}

/** Watches over the free space of every disk that it was asked to look at. */
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
      for (const { storage, code } of this.#looks.values()) void this.look(storage, code, false);
    });
  }

  /** Looks at the disk of a stream: after each commit; with `full` when a segment could not be stored. Never rejects. */
  async look(storage: Storage, code: StreamCode, full: boolean): Promise<void> {
    try {
      const { id } = await storage.disk(code);
      const look = this.#looks.get(id) ?? { storage, code, running: undefined, full: false, atMs: -Infinity };
      this.#looks.set(id, look);
      look.full ||= full;
      const nowMs = this.#options.clock.monotonicMs();
      if (this.#closed || look.running || (!look.full && nowMs - look.atMs < LOOK_EVERY_MS)) return await look.running;
      look.atMs = nowMs;
      look.running = this.#relieve(look).finally(() => (look.running = undefined));
      await look.running;
    } catch (error) {
      this.#options.log.warn({ stream: code, err: error }, 'the free space could not be seen to; it is tried again');
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

  async #relieve(look: Look): Promise<void> {
    const { minFreeBytes } = this.#options;
    for (const [code, archive] of this.#opened) {
      if (!archive.pruning.idle) continue;
      this.#opened.delete(code);
      await archive.close();
    }
    const { storage, code, full } = look;
    look.full = false;
    let disk = await storage.disk(code);
    if (!full && disk.freeBytes >= minFreeBytes) return;
    const candidates = await this.#candidates(disk);
    // Less than half of what should be free: the grace cannot be waited for.
    const atOnce = full || disk.freeBytes < minFreeBytes / 2;
    if (atOnce) {
      for (const user of candidates) if (!user.idle) await this.#ask(user, { atOnce });
      disk = await storage.disk(code);
    }
    const waiting = candidates.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
    const missing = minFreeBytes - disk.freeBytes - waiting;
    // Where a quota is what is full, the free space does not show it: a batch goes in any case.
    await this.#prune(candidates, full ? Math.max(missing, 1) : missing, atOnce);
  }

  async #prune(candidates: readonly SpaceUser[], missingBytes: number, atOnce: boolean): Promise<void> {
    let missing = missingBytes;
    const left = new Set(candidates);
    for (let batches = 0; missing > 0 && batches < MAX_BATCHES && !this.#closed; batches++) {
      let oldest: SpaceUser | undefined;
      for (const user of left) {
        if ((user.startedAtMs ?? Infinity) < (oldest?.startedAtMs ?? Infinity)) oldest = user;
      }
      if (oldest === undefined) {
        this.#warn(missing);
        return;
      }
      // One byte asks for a batch, which is the least that goes.
      const bytes = await this.#ask(oldest, { freeBytes: 1, atOnce });
      if (bytes === 0) left.delete(oldest);
      missing -= bytes;
    }
  }

  /** One that cannot be pruned has nothing to give. */
  async #ask(user: SpaceUser, limits: SpaceLimits): Promise<number> {
    try {
      return await user.prune(limits);
    } catch (error) {
      this.#options.log.warn({ stream: user.code, err: error }, 'a stream could not be pruned; it is tried again');
      return 0;
    }
  }

  /** Not at every look. */
  #warn(missingBytes: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = nowMs;
    this.#options.log.warn({ missingBytes }, 'the disk has less free space than it should, and nothing more can be pruned');
  }

  async #candidates(disk: Disk): Promise<SpaceUser[]> {
    const found: SpaceUser[] = [];
    const users = [...this.#options.users()];
    for (const user of users) {
      if (this.#busy.has(user.code)) continue;
      if ((await user.storage.disk(user.code)).id === disk.id) found.push(user);
    }
    const known = new Set(users.map(({ code }) => code));
    for (const other of await this.#listOthers(users)) {
      if (known.has(other.code) || this.#busy.has(other.code) || other.diskId !== disk.id) continue;
      if (this.#options.clock.monotonicMs() < (this.#notBefore.get(other.code) ?? -Infinity)) continue;
      found.push(this.#userOf(other));
    }
    return found;
  }

  #userOf(other: Other): SpaceUser {
    const pruning = (): ArchiveWriter['pruning'] | undefined => this.#opened.get(other.code)?.pruning;
    return {
      code: other.code,
      storage: other.storage,
      get startedAtMs() {
        return other.startedAtMs;
      },
      get waitingBytes() {
        return pruning()?.waitingBytes ?? 0;
      },
      get idle() {
        return pruning()?.idle ?? true;
      },
      prune: (limits) => this.#pruneOther(other, limits),
    };
  }

  /** The streams under the same roots that are not among the users. */
  async #listOthers(users: readonly SpaceUser[]): Promise<readonly Other[]> {
    if (this.#options.openArchive === undefined) return [];
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#others !== undefined && nowMs - this.#others.atMs < LIST_EVERY_MS) return this.#others.list;
    const list: Other[] = [];
    const known = new Set(users.map(({ code }) => code));
    for (const storage of new Set(users.map((user) => user.storage))) {
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

  async #pruneOther(other: Other, limits: SpaceLimits): Promise<number> {
    const options = this.#options;
    try {
      const archive = this.#opened.get(other.code) ?? (await options.openArchive?.(other.storage, other.code));
      if (archive === undefined) return 0;
      this.#opened.set(other.code, archive);
      const { segmentCount, sizeBytes } = await archive.prune({ ...limits, graceMs: options.graceMs(other.code) });
      if (segmentCount > 0) options.pruned(other.code, segmentCount, sizeBytes);
      other.startedAtMs = archive.totals.startedAtMs ?? Infinity;
      return sizeBytes;
    } catch (error) {
      this.#notBefore.set(other.code, this.#options.clock.monotonicMs() + TRY_AGAIN_MS);
      // Owned by somebody else: theirs to prune.
      if (!isLivetapeError(error, 'STREAM_OWNED')) {
        this.#failures += 1;
        const facts = { stream: other.code, err: error, failures: this.#failures };
        this.#options.log.warn(facts, 'a stream that is not recorded here could not be pruned; it is tried again');
      }
      return 0;
    }
  }
}
