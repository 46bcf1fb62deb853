/**
 * Segments as files, by name (P15, P16): opened once and read by handle, so that one that is pruned meanwhile is read to its end; the newest, and what
 * is asked for twice, from memory.
 */
import { LivetapeError, type Clock, type Closable } from '../../base/index.js';
import type { StreamCode } from '../../model/index.js';
import type { OpenedFile, StreamStorage } from '../../storage/index.js';
import type { PlaceOf, SegmentFile } from '../contract.js';
import { BLOCK_BYTES, readBlocks } from './blocks.js';
import { SegmentCache, type HeldSegment } from './segmentCache.js';

/** Larger segments are read from the medium. */
const MAX_CACHED_SEGMENT_BYTES = 16_000_000;
/** What was written so lately is likely to be asked for again: viewers of live are about as far apart. */
const NEW_MS = 120_000;
/** Names that are remembered for having been asked for once. */
const MAX_ASKED = 4096;
/** What an archive's media can be called (F5). */
const SEGMENT_NAME = /^\d{6,15}\.ts$/;

/** What {@link openSegments} is made with. */
export interface SegmentsOptions {
  readonly place: PlaceOf;
  readonly clock: Clock;
  /** What the segments in memory may take together; 0 for none. */
  readonly maxCacheBytes: number;
}

/** Segments of all streams. `close()` forgets what is in memory; files that are open stay open until they are closed. */
export interface Segments extends Closable {
  /**
   * Opens a segment.
   * @throws LivetapeError STREAM_NOT_FOUND, SEGMENT_NOT_FOUND (also for a name that no segment can have), STORAGE_FAILED, STORAGE_UNWRITABLE, PATH_OUTSIDE_ROOT
   */
  segment(code: StreamCode, name: string): Promise<SegmentFile>;
  /** Bytes held in memory, and how often a segment was found there. */
  readonly stats: { readonly cachedBytes: number; readonly hits: number; readonly misses: number };
}

/** Opens the segments of the streams that `place` knows. */
export function openSegments(options: SegmentsOptions): Segments {
  return new CachedSegments(options);
}

class CachedSegments implements Segments {
  readonly #options: SegmentsOptions;
  readonly #cache: SegmentCache;
  /** Being read into memory; kept when that is over, whatever came of it. */
  readonly #loading = new Map<string, Promise<void>>();
  /** Asked for once, oldest first. */
  readonly #asked = new Set<string>();
  #hits = 0;
  #misses = 0;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#cache = new SegmentCache(options.maxCacheBytes);
  }

  get stats(): Segments['stats'] {
    return { cachedBytes: this.#cache.sizeBytes, hits: this.#hits, misses: this.#misses };
  }

  async segment(code: StreamCode, name: string): Promise<SegmentFile> {
    const place = this.#options.place(code);
    if (place === undefined) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
    if (!SEGMENT_NAME.test(name)) throw notFound(code, name);
    const key = `${place.location}/${name}`;
    // Who comes while it is read waits for that one reading.
    const loading = this.#loading.get(key);
    if (loading !== undefined) await loading;
    const held = this.#cache.get(key);
    if (held !== undefined) {
      this.#hits += 1;
      return new SegmentInMemory(held);
    }
    this.#misses += 1;
    const isFirst = !this.#loading.has(key);
    const opened = this.#open(code, name, place, isFirst ? key : undefined);
    if (!isFirst) return opened;
    const over = (): void => void this.#loading.delete(key);
    this.#loading.set(key, opened.then(over, over));
    return opened;
  }

  /** @param key - to take it into memory under, where that is worth it */
  async #open(code: StreamCode, name: string, place: StreamStorage, key: string | undefined): Promise<SegmentFile> {
    const file = await place.open(name);
    if (file === undefined) throw notFound(code, name);
    return (key === undefined ? undefined : await this.#load(key, file)) ?? new SegmentOnMedium(file);
  }

  /** Reads it into memory, where it is worth it and there is room; closes the file then, and when it cannot be read. */
  async #load(key: string, file: OpenedFile): Promise<SegmentFile | undefined> {
    const { sizeBytes } = file;
    if (!this.#isWorthKeeping(key, file) || !this.#cache.reserve(sizeBytes)) return undefined;
    try {
      const bytes = new Uint8Array(sizeBytes);
      if ((await file.read(bytes, 0)) < sizeBytes) throw new LivetapeError('STORAGE_FAILED', `${key} became shorter while it was read`);
      this.#cache.put(key, bytes);
    } catch (error) {
      this.#cache.giveBack(sizeBytes);
      throw error;
    } finally {
      await file.close();
    }
    const held = this.#cache.get(key);
    return held && new SegmentInMemory(held);
  }

  #isWorthKeeping(key: string, { sizeBytes, modifiedMs }: OpenedFile): boolean {
    if (sizeBytes > MAX_CACHED_SEGMENT_BYTES) return false;
    if (modifiedMs !== undefined && Math.abs(this.#options.clock.nowMs() - modifiedMs) < NEW_MS) return true;
    if (this.#asked.delete(key)) return true;
    this.#asked.add(key);
    const [oldest] = this.#asked;
    if (oldest !== undefined && this.#asked.size > MAX_ASKED) this.#asked.delete(oldest);
    return false;
  }

  close(): Promise<void> {
    this.#cache.clear();
    this.#asked.clear();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class SegmentOnMedium implements SegmentFile {
  readonly sizeBytes: number;
  readonly #file: OpenedFile;

  constructor(file: OpenedFile) {
    this.#file = file;
    this.sizeBytes = file.sizeBytes;
  }

  read(fromByte: number, toByte: number): AsyncIterable<Uint8Array> {
    return readBlocks(this.#file, fromByte, Math.min(toByte, this.sizeBytes));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class SegmentInMemory implements SegmentFile {
  readonly sizeBytes: number;
  #held: HeldSegment | undefined;

  constructor(held: HeldSegment) {
    this.#held = held;
    this.sizeBytes = held.bytes.byteLength;
  }

  // A block at a time as from the medium, so that a slow client's share of the socket's memory is the same.
  async *read(fromByte: number, toByte: number): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    const end = Math.min(toByte, this.sizeBytes);
    for (let at = fromByte; at < end; at += BLOCK_BYTES) {
      if (this.#held === undefined) throw new LivetapeError('CLOSED', 'the segment was closed');
      yield this.#held.bytes.subarray(at, Math.min(end, at + BLOCK_BYTES));
    }
  }

  close(): Promise<void> {
    this.#held?.release();
    this.#held = undefined;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function notFound(code: string, name: string): LivetapeError {
  return new LivetapeError('SEGMENT_NOT_FOUND', `there is no segment ${JSON.stringify(name.slice(0, 80))} of ${code}`, {
    context: { code },
  });
}
