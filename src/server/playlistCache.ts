/**
 * Playlists that many ask for, rendered and coded once. An entry is named by stream, request and version, so one that is
 * outdated is simply not asked for again; what nobody asks for goes, least lately used first.
 */
import { compressWhole } from './compress.js';
import type { Coding } from './acceptEncoding.js';

/** What all kept playlists may hold together. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** A longer one is made for each who asks, as he takes it. */
const ENTRY_BYTES = 512 * 1024;
/** What an entry costs beside its bytes, about. */
const ENTRY_COST_BYTES = 256;

interface Entry {
  readonly made: Promise<Uint8Array | undefined>;
  sizeBytes: number;
}

/** Rendered playlists, bounded. */
export class PlaylistCache {
  readonly #maxBytes: number;
  readonly #entryBytes: number;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();
  #sizeBytes = 0;

  constructor(maxBytes = CACHE_BYTES, entryBytes = ENTRY_BYTES) {
    this.#maxBytes = maxBytes;
    this.#entryBytes = entryBytes;
  }

  /** Bytes held, about. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * The playlist named by `key`, coded. `render` is called once for all who ask while it is kept. Undefined for one that is too long to be
   * kept: it is to be made anew, piece by piece.
   */
  get(key: string, coding: Coding, render: () => AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
    if (coding === 'identity') return this.#shared(`identity ${key}`, () => gathered(render(), this.#entryBytes));
    return this.#shared(`${coding} ${key}`, async () => {
      const text = await this.get(key, 'identity', render);
      return text && compressWhole(text, coding);
    });
  }

  #shared(key: string, make: () => Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    let entry = this.#entries.get(key);
    if (entry) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.made;
    }
    const fresh: Entry = { made: make(), sizeBytes: 0 };
    entry = fresh;
    this.#entries.set(key, fresh);
    fresh.made.then(
      (bytes) => this.#keep(key, fresh, (bytes?.length ?? 0) + key.length + ENTRY_COST_BYTES),
      () => this.#drop(key, fresh),
    );
    return fresh.made;
  }

  #keep(key: string, entry: Entry, sizeBytes: number): void {
    if (this.#entries.get(key) !== entry) return;
    entry.sizeBytes = sizeBytes;
    this.#sizeBytes += sizeBytes;
    for (const [oldKey, old] of this.#entries) {
      if (this.#sizeBytes <= this.#maxBytes) return;
      // one that is being made is needed by those who wait for it; it is measured when it is there
      if (old.sizeBytes > 0) this.#drop(oldKey, old);
    }
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }
}

/** All of a body in one piece; undefined when it is longer than `maxBytes`. */
async function gathered(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
