/**
 * What lies in a stream's folder and no entry names: segments, remains, files set aside. Names are remembered as bits, so that a million
 * segments are an eighth of a megabyte.
 */
import { CORRUPT_MARK, INDEX_NAME, JOURNAL_NAME, PART_SUFFIX, TMP_SUFFIX, type StreamStorage } from '../storage/index.js';
import { finding, type Finding } from './checkFindings.js';
import type { NumberRange } from './prune.js';
import { segmentName } from './survey.js';

/** Numbers above this are kept as names: nobody has so many segments, and a bit field of them would not fit. */
const MAX_BIT = 2 ** 28;
/** A file that was changed this lately beside an open life may belong to a recorder that is at work. */
export const FRESH_MS = 60_000;

/** The number of a segment that is named as ours are; undefined for any other name. */
export function numberOf(name: string): number | undefined {
  const digits = /^(\d{6,15})\.ts$/.exec(name)?.[1];
  if (digits === undefined) return undefined;
  const number = Number(digits);
  return segmentName(number) === name ? number : undefined;
}

/** A set of names, small where they are those of segments. */
export class NameSet {
  #bits = new Uint8Array(1024);
  readonly #others = new Set<string>();

  /** False when it was in already. */
  add(name: string): boolean {
    if (this.has(name)) return false;
    const number = numberOf(name);
    if (number === undefined || number >= MAX_BIT) this.#others.add(name);
    else {
      const byte = number >> 3;
      if (byte >= this.#bits.length) {
        const larger = new Uint8Array(Math.max(byte + 1, this.#bits.length * 2));
        larger.set(this.#bits);
        this.#bits = larger;
      }
      this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (number & 7));
    }
    return true;
  }

  has(name: string): boolean {
    const number = numberOf(name);
    if (number === undefined || number >= MAX_BIT) return this.#others.has(name);
    return ((this.#bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  delete(name: string): void {
    const number = numberOf(name);
    if (number === undefined || number >= MAX_BIT) this.#others.delete(name);
    else if (this.has(name)) this.#bits[number >> 3] = (this.#bits[number >> 3] ?? 0) & ~(1 << (number & 7));
  }
}

/** What a file that no entry names is. */
export type StrayKind = 'segment_unlisted' | 'remains' | 'part_left' | 'tmp_left' | 'set_aside' | 'foreign_file';

/** What the playlist says of numbers. */
export interface Numbers {
  /** Those that were pruned; undefined when none were: nothing can be the remains of a prune. */
  readonly pruned: NumberRange | undefined;
}

/** What a name in the folder means; undefined for what belongs there. */
export function kindOf(name: string, listed: NameSet, { pruned }: Numbers): StrayKind | undefined {
  if (name === JOURNAL_NAME || name === INDEX_NAME || name.startsWith('owner.') || listed.has(name)) return undefined;
  if (name.includes(CORRUPT_MARK)) return 'set_aside';
  if (name.endsWith(TMP_SUFFIX)) return 'tmp_left';
  if (name.endsWith(PART_SUFFIX)) return numberOf(name.slice(0, -PART_SUFFIX.length)) === undefined ? 'foreign_file' : 'part_left';
  const number = numberOf(name);
  if (number === undefined) return 'foreign_file';
  return pruned !== undefined && number >= pruned.from && number < pruned.below ? 'remains' : 'segment_unlisted';
}

/** What the folder's walk needs. */
export interface FolderOptions {
  readonly listed: NameSet;
  readonly numbers: Numbers;
  /** The life is open: a recorder may be at work. */
  readonly open: boolean;
  readonly nowMs: number;
  readonly signal?: AbortSignal | undefined;
}

const SAYS: Readonly<Record<StrayKind, string>> = {
  segment_unlisted: 'no entry names it',
  remains: 'it was pruned and not removed yet',
  part_left: 'what is left of a segment that was being written',
  tmp_left: 'a temporary file that is left over',
  set_aside: 'it was set aside',
  foreign_file: 'it is not part of the archive',
};

/** What lies in the folder beside the archive. */
export async function* strays(storage: StreamStorage, options: FolderOptions): AsyncGenerator<Finding> {
  for await (const name of storage.files.list()) {
    options.signal?.throwIfAborted();
    const kind = kindOf(name, options.listed, options.numbers);
    if (kind === undefined) continue;
    if (options.open && (kind === 'segment_unlisted' || kind === 'part_left' || kind === 'tmp_left')) {
      const modifiedMs = (await storage.files.stat(name).catch(() => undefined))?.modifiedMs;
      if (modifiedMs !== undefined && Math.abs(options.nowMs - modifiedMs) < FRESH_MS) continue;
    }
    yield finding(kind, { file: name, message: `${name}: ${SAYS[kind]}` });
  }
}
