/**
 * Whole segments in memory, within one bound for all streams (P16). What somebody reads is not let go of, so that the bound holds whoever is slow; where
 * nothing can be let go of, a segment is simply not taken in.
 */

/** A segment in memory that somebody reads. */
export interface HeldSegment {
  readonly bytes: Uint8Array;
  /** To be called once, when it is read no more. */
  release(): void;
}

interface Kept {
  readonly bytes: Uint8Array;
  readers: number;
}

/** The cache. Synchronous; keys are its user's. */
export class SegmentCache {
  readonly #maxBytes: number;
  /** Least lately used first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What is held, or promised to be. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  get(key: string): HeldSegment | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return hold(kept);
  }

  /** Makes room, letting go of what was not used for longest. False when there is not enough to let go of; else {@link put} or {@link giveBack} follows. */
  reserve(sizeBytes: number): boolean {
    if (sizeBytes > this.#maxBytes) return false;
    for (const [key, kept] of this.#kept) {
      if (this.#bytes + sizeBytes <= this.#maxBytes) break;
      if (kept.readers > 0) continue;
      this.#kept.delete(key);
      this.#bytes -= kept.bytes.byteLength;
    }
    if (this.#bytes + sizeBytes > this.#maxBytes) return false;
    this.#bytes += sizeBytes;
    return true;
  }

  /** Takes in what room was reserved for. */
  put(key: string, bytes: Uint8Array): void {
    this.#kept.set(key, { bytes, readers: 0 });
  }

  /** Room that was reserved is not needed. */
  giveBack(sizeBytes: number): void {
    this.#bytes -= sizeBytes;
  }

  /** Forgets all; whoever reads goes on. */
  clear(): void {
    for (const kept of this.#kept.values()) this.#bytes -= kept.bytes.byteLength;
    this.#kept.clear();
  }
}

function hold(kept: Kept): HeldSegment {
  kept.readers += 1;
  return {
    bytes: kept.bytes,
    release: () => {
      kept.readers -= 1;
    },
  };
}
