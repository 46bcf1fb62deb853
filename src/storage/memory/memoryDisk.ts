/** How much fits: a memory storage can be given disks of a size, so that a test can fill one. */
import type { Disk } from '../storage.js';

/** A number all the same: it is told in JSON. */
const ENDLESS_BYTES = Number.MAX_SAFE_INTEGER;

/** What {@link createMemoryStorage} can be told. */
export interface MemoryStorageOptions {
  /** The disk of a stream (of none: of the root): its name, and what media fits on it. Asked at each write. Default: one that nobody fills. */
  disk?(code: string): { readonly id: string; readonly capacityBytes: number };
}

/** What a stream holds. */
export interface Holding {
  readonly code: string;
  /** Media, finished and unfinished. What is shared is the same array. */
  media(): Iterable<Uint8Array>;
}

/** The disks of one storage. */
export class MemoryDisks {
  readonly #options: MemoryStorageOptions;
  readonly #holdings: () => Iterable<Holding>;

  constructor(options: MemoryStorageOptions, holdings: () => Iterable<Holding>) {
    this.#options = options;
    this.#holdings = holdings;
  }

  of(code: string): Disk {
    const disk = this.#options.disk?.(code);
    if (disk === undefined) return { id: 'memory', freeBytes: ENDLESS_BYTES, totalBytes: ENDLESS_BYTES };
    const held = new Set<Uint8Array>();
    for (const holding of this.#holdings()) {
      if (this.#options.disk?.(holding.code).id === disk.id) for (const media of holding.media()) held.add(media);
    }
    const usedBytes = [...held].reduce((sum, media) => sum + media.byteLength, 0);
    return { id: disk.id, freeBytes: Math.max(0, disk.capacityBytes - usedBytes), totalBytes: disk.capacityBytes };
  }

  /** Throws ENOSPC where `sizeBytes` more do not fit. */
  take(code: string, sizeBytes: number): void {
    if (this.of(code).freeBytes < sizeBytes) throw Object.assign(new Error('no space is left in this memory'), { code: 'ENOSPC' });
  }
}
