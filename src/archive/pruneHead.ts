/**
 * Reads a playlist's entries from the head on, a few at a time: what retention looks at. What an entry of another system does not
 * say follows from the one before it.
 */
import { parseEntries, type PlaylistEntry } from '../hls/index.js';
import type { Journal } from './journal.js';

/** The first block, some twenty entries; doubled from block to block while reading goes on … */
const FIRST_BLOCK_BYTES = 4096;
/** … up to this: some milliseconds of parsing. */
const LAST_BLOCK_BYTES = 64 * 1024;

/** An entry at the head. */
export interface HeadEntry {
  readonly entry: PlaylistEntry;
  readonly wallMs: number;
  readonly endMs: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  /** Where it ends, counted from the first entry. */
  readonly toByte: number;
}

/** Goes over the entries from the first on, each once. */
export class HeadReader {
  readonly #journal: Journal;
  #byte = 0;
  #block = FIRST_BLOCK_BYTES;
  #ready: HeadEntry[] = [];
  #last: HeadEntry | undefined;
  readonly #startedAtMs: number;

  /** @param startedAtMs - when the first entry begins, should it not say so itself */
  constructor(journal: Journal, startedAtMs: number | undefined) {
    this.#journal = journal;
    this.#startedAtMs = startedAtMs ?? NaN;
  }

  /** The next entry; undefined after the last. */
  async peek(): Promise<HeadEntry | undefined> {
    while (this.#ready.length === 0 && this.#byte < this.#journal.entryBytes) await this.#read();
    return this.#ready[0];
  }

  /** Goes on to the one after it. */
  take(): void {
    this.#last = this.#ready.shift() ?? this.#last;
  }

  /** Lets go of what was read ahead. */
  rest(): void {
    this.#ready = [];
    this.#byte = this.#last?.toByte ?? 0;
    this.#block = FIRST_BLOCK_BYTES;
  }

  async #read(): Promise<void> {
    const bytes = await this.#journal.readEntries(this.#byte, this.#byte + this.#block);
    const chunk = parseEntries(bytes, true, { byte: this.#byte });
    let before = this.#last;
    for (const { entry, toByte } of chunk.entries) {
      const { header } = this.#journal;
      const wallMs = entry.wallMs ?? before?.endMs ?? this.#startedAtMs;
      const tag = entry.discontinuity ? 1 : 0;
      before = {
        entry,
        wallMs,
        endMs: wallMs + entry.durationUs / 1000,
        mediaSequence: entry.facts?.mediaSequence ?? (before === undefined ? (header?.mediaSequence ?? 0) : before.mediaSequence + 1),
        discontinuitySequence:
          entry.facts?.discontinuitySequence ?? (before?.discontinuitySequence ?? header?.discontinuitySequence ?? 0) + tag,
        toByte: this.#byte + toByte,
      };
      this.#ready.push(before);
    }
    // An entry that is larger than the block, or the end.
    if (chunk.entries.length === 0 && bytes.byteLength < this.#block) this.#byte = this.#journal.entryBytes;
    this.#byte += chunk.toByte;
    this.#block = chunk.entries.length === 0 ? this.#block * 2 : Math.min(this.#block * 2, LAST_BLOCK_BYTES);
  }
}

/**
 * Where the entries begin that must stay, counted from the first entry: of an open life three target durations (RFC 8216, 6.2.2); of any, the
 * newest, since it alone says which numbers come next.
 */
export async function mustStayFrom(journal: Journal): Promise<number> {
  const total = journal.entryBytes;
  const leastSec = journal.ended ? 0 : 3 * (journal.header?.targetDurationSec ?? 0);
  for (let look = FIRST_BLOCK_BYTES; ; look *= 2) {
    const fromByte = Math.max(0, total - look);
    const { entries } = parseEntries(await journal.readEntries(fromByte, total), fromByte === 0, { byte: fromByte });
    let lengthUs = 0;
    for (const located of entries.toReversed()) {
      lengthUs += located.entry.durationUs;
      if (lengthUs / 1e6 >= leastSec) return fromByte + located.fromByte;
    }
    if (fromByte === 0) return 0;
  }
}
