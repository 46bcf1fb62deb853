/** What a pool does with archives itself, in its own process, on their media: reading them, keeps, and keeping the disks free over all recorders (docs/design/server.md, R6). */
import { openArchiveForWriting } from '../../archive/index.js';
import type { Clock, Logger } from '../../base/index.js';
import type { StreamCode } from '../../model/index.js';
import { openFolder, openFsStorage, type Storage } from '../../storage/index.js';
import type { DvrEvents } from '../events.js';
import { FreeSpace, type PruneCandidate, type SpaceLimits, type SpacePruned, type SpaceUser } from '../freeSpace.js';
import { ServedReaches } from '../reaches.js';
import { StoredArchives } from '../storedArchives.js';

/** What it is given. */
export interface PoolArchivesOptions {
  readonly root: string;
  readonly minFreeBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asks the recorder that has the stream. */
  prune(index: number, streamCode: StreamCode, limits: SpaceLimits): Promise<SpacePruned>;
  healed(event: DvrEvents['archive.healed']): void;
  pruned(event: DvrEvents['segment.pruned']): void;
}

/** The media of a pool's streams. */
export class PoolArchives {
  readonly #options: PoolArchivesOptions;
  /** What is asked of them as they are stored. */
  readonly stored: StoredArchives;
  /** By `storagePath`. */
  readonly #storages = new Map<string, Storage>();
  /** Where streams lie that were recorded under another root. */
  readonly #paths = new Map<StreamCode, string>();
  readonly #reaches: ServedReaches;
  readonly #free: FreeSpace | undefined;
  /** What each recorder said that it can prune. */
  readonly #candidates = new Map<number, PruneCandidate[]>();

  constructor(options: PoolArchivesOptions) {
    this.#options = options;
    const { clock, log, minFreeBytes } = options;
    this.#reaches = new ServedReaches(clock);
    this.stored = new StoredArchives({
      clock,
      storages: () => [this.#storage(''), ...this.#storages.values()],
      storageOf: (code) => this.#storageOf(code),
      openFolder: (segmentDir) => openFolder(segmentDir, options),
    });
    if (minFreeBytes > 0) {
      this.#free = new FreeSpace({
        clock,
        log,
        minFreeBytes,
        users: () => this.#users(),
        openArchive: async (storage, streamCode) => {
          const archive = await openArchiveForWriting({
            storage: storage.stream(streamCode),
            streamCode,
            retention: true,
            clock,
            log,
            numbersFrom: 0,
          });
          if (archive.healed.length > 0) options.healed({ streamCode, healed: archive.healed });
          return archive;
        },
        graceMs: (code) => this.#reaches.graceMs(code),
        pruned: (streamCode, count, sizeBytes) => options.pruned({ streamCode, count, sizeBytes }),
      });
    }
  }

  served(code: StreamCode, reachMs: number): void {
    this.#reaches.served(code, reachMs);
  }

  /** A stream is to be recorded under this root: whoever prunes it here lets go of it. */
  async starting(code: StreamCode): Promise<void> {
    await this.#free?.release(code);
  }

  /** It is, or it is not to be. */
  started(code: StreamCode, storagePath: string): void {
    this.#paths.set(code, storagePath);
    this.#free?.admit(code);
  }

  notStarted(code: StreamCode): void {
    this.#free?.admit(code);
  }

  /** What a recorder can prune, as its heartbeat says. */
  candidates(index: number, candidates: readonly PruneCandidate[]): void {
    this.#candidates.set(index, [...candidates]);
  }

  /** A segment was written, or (`full`) could not be. Before the heartbeat that names the stream, nothing could be asked of it. */
  look(code: StreamCode, full: boolean): void {
    const isNamed = [...this.#candidates.values()].some((candidates) => candidates.some((candidate) => candidate.code === code));
    if (!isNamed) return;
    void this.#free?.look(this.#storageOf(code), code, full);
  }

  async close(): Promise<void> {
    await this.#free?.close();
  }

  *#users(): Generator<SpaceUser> {
    for (const [index, candidates] of this.#candidates) {
      for (const candidate of candidates) yield this.#user(index, candidate);
    }
  }

  #user(index: number, candidate: PruneCandidate): SpaceUser {
    let facts = candidate;
    return {
      code: candidate.code,
      storage: this.#storage(candidate.storagePath),
      get startedAtMs() {
        return facts.startedAtMs;
      },
      get waitingBytes() {
        return facts.waitingBytes;
      },
      get idle() {
        return facts.idle;
      },
      prune: async (limits) => {
        const pruned = await this.#options.prune(index, candidate.code, limits);
        facts = pruned.candidate ?? { ...facts, startedAtMs: undefined };
        return pruned.bytes;
      },
    };
  }

  #storageOf(code: StreamCode): Storage {
    return this.#storage(this.#paths.get(code) ?? '');
  }

  #storage(path: string): Storage {
    const storage = this.#storages.get(path) ?? openFsStorage(path === '' ? this.#options.root : path, this.#options);
    this.#storages.set(path, storage);
    return storage;
  }
}
