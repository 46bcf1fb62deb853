/**
 * Entries in blocks of 512, aligned by media sequence (P4): columns for what is searched and summed, and the text as HLS clients get it, joined. A full block
 * never changes; the one at the edge is made anew from the one before as it grows, so whoever holds a block holds it as it was.
 */
import { invariant } from '../../base/index.js';
import type { Gap } from '../../model/index.js';
import { behind, cursorOf, type Cursor, type PlacedEntry } from './journal.js';

/** Entries of a full block. */
export const BLOCK_ENTRIES = 512;

/** A block's columns and what is around them, roughly: for accounts. */
const COLUMN_BYTES = BLOCK_ENTRIES * 28 + 512;
const GAP_BYTES = 96;
const FIRST_TEXT_BYTES = 4096;

/** Another system names no gaps: where its date-times leave out more than this there is one, as recovery and `check` have it. */
const MIN_GAP_MS = 1000;

/** The gap before an entry. */
export interface PlacedGap {
  readonly sequence: number;
  readonly gap: Gap;
}

/** The number of the block that holds an entry. */
export function blockOf(sequence: number): number {
  return Math.floor(sequence / BLOCK_ENTRIES);
}

/** The gap before an entry, as the journal tells it: it ends where the entry begins. */
export function gapBefore({ entry, wallMs, endedMs }: PlacedEntry): Gap | undefined {
  if (entry.facts === undefined) return wallMs - endedMs > MIN_GAP_MS ? { fromMs: endedMs, toMs: wallMs, reason: 'signal' } : undefined;
  const { gap } = entry.facts;
  return gap && { fromMs: gap.fromMs, toMs: wallMs, reason: gap.reason };
}

/** Entries that follow one another, 512 at most. */
export class Block {
  readonly firstSequence: number;
  readonly #firstAt: number;
  readonly #endedMs: number;
  #next: Cursor;
  #count = 0;
  readonly #wallMs = new Float64Array(BLOCK_ENTRIES);
  readonly #durationUs = new Float64Array(BLOCK_ENTRIES);
  /** Where an entry begins in the journal, from the block's first on, and where it ends in the text. */
  readonly #fromByte = new Uint32Array(BLOCK_ENTRIES);
  readonly #textTo = new Uint32Array(BLOCK_ENTRIES);
  /** Own tag not counted. */
  readonly #discontinuities = new Float64Array(BLOCK_ENTRIES);
  #text = Buffer.alloc(0);
  #gaps: PlacedGap[] = [];

  constructor(first: Cursor) {
    this.firstSequence = first.sequence;
    this.#firstAt = first.at;
    this.#endedMs = first.endedMs;
    this.#next = first;
  }

  get endSequence(): number {
    return this.firstSequence + this.#count;
  }

  /** Behind the last entry: what is added begins here. */
  get next(): Cursor {
    return this.#next;
  }

  /** It begins and ends where blocks do: it stays as it is. */
  get isFull(): boolean {
    return this.#count === BLOCK_ENTRIES;
  }

  get sizeBytes(): number {
    return COLUMN_BYTES + this.#text.byteLength + this.#gaps.length * GAP_BYTES;
  }

  get gaps(): readonly PlacedGap[] {
    return this.#gaps;
  }

  /** The same entries, to be added to. */
  copy(): Block {
    const copy = new Block(this.cursorAt(this.firstSequence));
    copy.#next = this.#next;
    copy.#count = this.#count;
    copy.#wallMs.set(this.#wallMs);
    copy.#durationUs.set(this.#durationUs);
    copy.#fromByte.set(this.#fromByte);
    copy.#textTo.set(this.#textTo);
    copy.#discontinuities.set(this.#discontinuities);
    copy.#text = Buffer.from(this.#text);
    copy.#gaps = [...this.#gaps];
    return copy;
  }

  /** Adds what follows; only while nobody else has the block. */
  add(entries: readonly PlacedEntry[]): void {
    const texts = entries.map(clientText);
    this.#makeRoom(texts.reduce((sum, text) => sum + text.byteLength, 0));
    for (const [n, placed] of entries.entries()) {
      const text = texts[n];
      invariant(text !== undefined && placed.sequence === this.endSequence && this.#count < BLOCK_ENTRIES, 'entries are added in order');
      const i = this.#count;
      const cursor = cursorOf(placed);
      this.#wallMs[i] = placed.wallMs;
      this.#durationUs[i] = placed.entry.durationUs;
      this.#fromByte[i] = placed.at - this.#firstAt;
      this.#discontinuities[i] = cursor.discontinuitySequence;
      const textFrom = i === 0 ? 0 : (this.#textTo[i - 1] ?? 0);
      this.#text.set(text, textFrom);
      this.#textTo[i] = textFrom + text.byteLength;
      const gap = gapBefore(placed);
      if (gap !== undefined) this.#gaps.push({ sequence: placed.sequence, gap });
      this.#count += 1;
      this.#next = behind(placed);
    }
    if (this.isFull) this.#text = Buffer.from(this.#text.subarray(0, this.#textTo[this.#count - 1]));
  }

  /** Lines of the entries; shared, so not to be written to. */
  text(fromSequence: number, toSequence: number): Uint8Array {
    const [from, to] = [fromSequence - this.firstSequence, toSequence - this.firstSequence];
    return this.#text.subarray(from === 0 ? 0 : this.#textTo[from - 1], to === 0 ? 0 : this.#textTo[to - 1]);
  }

  /** Where an entry lies. */
  cursorAt(sequence: number): Cursor {
    const i = sequence - this.firstSequence;
    const at = this.#firstAt + (this.#fromByte[i] ?? NaN);
    const endedMs = i === 0 ? this.#endedMs : this.#endMs(i - 1);
    return { at, sequence, discontinuitySequence: this.#discontinuities[i] ?? NaN, wallMs: this.#wallMs[i] ?? NaN, endedMs };
  }

  /** The first entry from `fromSequence` on that ends after `wallMs`; `endSequence` when none does. */
  endingAfter(wallMs: number, fromSequence: number): number {
    let i = Math.max(0, fromSequence - this.firstSequence);
    while (i < this.#count && !(this.#endMs(i) > wallMs)) i += 1;
    return this.firstSequence + i;
  }

  /** Media in the entries; microseconds. */
  durationUs(fromSequence: number, toSequence: number): number {
    let sum = 0;
    for (let i = fromSequence - this.firstSequence; i < toSequence - this.firstSequence; i++) sum += this.#durationUs[i] ?? 0;
    return sum;
  }

  /** The newest start from which the entries up to `toSequence` last `durationUs`; undefined when all of them do not. */
  back(toSequence: number, durationUs: number): number | undefined {
    let sum = 0;
    for (let i = toSequence - this.firstSequence - 1; i >= 0; i--) {
      sum += this.#durationUs[i] ?? 0;
      if (sum >= durationUs) return this.firstSequence + i;
    }
    return undefined;
  }

  #endMs(i: number): number {
    return (this.#wallMs[i] ?? NaN) + (this.#durationUs[i] ?? NaN) / 1000;
  }

  #makeRoom(bytes: number): void {
    const used = this.#count === 0 ? 0 : (this.#textTo[this.#count - 1] ?? 0);
    if (used + bytes <= this.#text.byteLength) return;
    const text = Buffer.alloc(Math.max(FIRST_TEXT_BYTES, used + bytes, 2 * used));
    text.set(this.#text.subarray(0, used));
    this.#text = text;
  }
}

const OURS = Buffer.from('#livetape ');
const ENDLIST = Buffer.from('#EXT-X-ENDLIST');
const DISCONTINUITY = Buffer.from('#EXT-X-DISCONTINUITY');

/**
 * The lines of an entry without our comment (P13), without an ENDLIST that another system went on behind, and with its date-time where it has none: any
 * window may begin here.
 */
function clientText({ bytes, entry, wallMs }: PlacedEntry): Uint8Array {
  const parts: Uint8Array[] = [];
  let isDated = entry.wallMs !== undefined;
  let keptFrom = 0;
  let at = 0;
  while (at < bytes.byteLength) {
    const lineTo = bytes.indexOf(0x0a, at) + 1;
    if (begins(bytes, at, OURS) || begins(bytes, at, ENDLIST)) {
      parts.push(bytes.subarray(keptFrom, at));
      keptFrom = lineTo;
    } else if (!isDated && !begins(bytes, at, DISCONTINUITY)) {
      parts.push(bytes.subarray(keptFrom, at), Buffer.from(`#EXT-X-PROGRAM-DATE-TIME:${new Date(Math.floor(wallMs)).toISOString()}\n`));
      keptFrom = at;
      isDated = true;
    }
    at = lineTo;
  }
  parts.push(bytes.subarray(keptFrom));
  return Buffer.concat(parts);
}

function begins(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  // Most lines differ in the second byte or the seventh.
  if (bytes[at + 1] !== word[1]) return false;
  for (let i = 0; i < word.byteLength; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
