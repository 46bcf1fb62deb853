/**
 * The marks of a stream that were found, by media sequence (G10): pieces of its journal that were searched, so that what was searched once is not searched again, and growth
 * costs what grew. A piece with many marks keeps them joined, and is searched again by who asks for a part of it.
 */
import type { BlockCache } from './blockCache.js';
import type { Cursor } from './journal.js';
import { joinMarks, runsOf, touch, type JoinedMarks, type Mark } from './marks.js';

/** What is searched at once, and what small pieces are joined to: a millisecond, and some 1,300 entries. */
export const SEARCH_BYTES = 256 * 1024;
/** A piece remembers so many marks one by one … */
const MAX_MARKS = 64;
/** … and of more so many of each kind, joined. */
const MAX_JOINED = 32;

/** What they hold in memory, roughly: for accounts. */
const PIECE_BYTES = 256;
const MARK_BYTES = 200;

/** A stretch of a journal that was searched: entries from `first.sequence` on, up to `next.sequence`. */
export interface SearchedPiece {
  readonly first: Cursor;
  /** Behind the last of them. */
  readonly next: Cursor;
  /** Undefined where they are too many to be remembered. */
  readonly marks: readonly Mark[] | undefined;
  /** All of them, and where `marks` is undefined no more than some of each kind. */
  readonly joined: JoinedMarks;
  /** How many gaps, and how many runs of errors there are before any were joined that do not touch. */
  readonly gapCount: number;
  readonly runCount: number;
  /** For the cache. */
  readonly sizeBytes: number;
}

/** How much is searched at once and remembered of it. */
export interface MarkBounds {
  readonly searchBytes: number;
  readonly maxMarks: number;
  readonly maxJoined: number;
}

const BOUNDS: MarkBounds = { searchBytes: SEARCH_BYTES, maxMarks: MAX_MARKS, maxJoined: MAX_JOINED };

/** Pieces of one journal that were searched; the cache bounds those of all streams together. */
export class MarkIndex {
  readonly bounds: MarkBounds;
  readonly #cache: BlockCache<SearchedPiece>;
  /** By media sequence; none overlap. */
  #pieces: SearchedPiece[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  /** @param bounds - smaller ones are for tests */
  constructor(cache: BlockCache<SearchedPiece>, bounds: MarkBounds = BOUNDS) {
    this.#cache = cache;
    this.bounds = bounds;
  }

  /** The piece that holds an entry, where it was searched. */
  holding(sequence: number): SearchedPiece | undefined {
    const piece = this.#pieces[this.#firstEndingAfter(sequence)];
    if (piece === undefined || piece.first.sequence > sequence) return undefined;
    this.#cache.touch(piece);
    return piece;
  }

  /** The piece that ends where the entry begins. */
  endingAt(sequence: number): SearchedPiece | undefined {
    const piece = this.#pieces[this.#firstEndingAfter(sequence) - 1];
    return piece?.next.sequence === sequence ? piece : undefined;
  }

  /** The first piece behind an entry that none holds. */
  after(sequence: number): SearchedPiece | undefined {
    return this.#pieces[this.#firstEndingAfter(sequence)];
  }

  /** One search of a stream at a time: who waits may find that there is nothing left to search. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** What was found between two places, where nothing was searched; joined with its neighbours while they are small. */
  add(first: Cursor, next: Cursor, marks: readonly Mark[]): SearchedPiece {
    let piece = this.#pieceOf(first, next, marks);
    const i = this.#firstEndingAfter(first.sequence);
    const [before, after] = [this.#pieces[i - 1], this.#pieces[i]];
    const gone: SearchedPiece[] = [];
    for (const other of [before, after]) {
      const joined = other && this.#joined(piece, other);
      if (other === undefined || joined === undefined) continue;
      gone.push(other);
      piece = joined;
    }
    const from = before !== undefined && gone.includes(before) ? i - 1 : i;
    for (const other of gone) this.#cache.forget(other);
    this.#pieces.splice(from, gone.length, piece);
    this.#hold(piece);
    return piece;
  }

  /** Entries before `oldest` were pruned. */
  drop(oldest: Cursor): void {
    const kept: SearchedPiece[] = [];
    for (const piece of this.#pieces) {
      if (piece.first.sequence >= oldest.sequence) {
        kept.push(piece);
        continue;
      }
      this.#cache.forget(piece);
      if (piece.next.sequence <= oldest.sequence || piece.marks === undefined) continue;
      const marks = piece.marks.filter(({ sequence }) => sequence >= oldest.sequence);
      kept.push(this.#pieceOf(oldest, piece.next, marks));
    }
    const cut = kept[0] === undefined || this.#pieces.includes(kept[0]) ? undefined : kept[0];
    this.#pieces = kept;
    if (cut !== undefined) this.#hold(cut);
  }

  /** Lets go of all. */
  forget(): void {
    for (const piece of this.#pieces.splice(0)) this.#cache.forget(piece);
  }

  #hold(piece: SearchedPiece): void {
    this.#cache.hold(piece, () => {
      this.#pieces = this.#pieces.filter((held) => held !== piece);
    });
  }

  #pieceOf(first: Cursor, next: Cursor, marks: readonly Mark[]): SearchedPiece {
    const { maxMarks, maxJoined } = this.bounds;
    const runs = runsOf(marks);
    const [gapCount, runCount] = [runs.gaps.length, runs.errors.length];
    if (marks.length <= maxMarks) return sized({ first, next, marks, joined: runs, gapCount, runCount });
    return sized({ first, next, marks: undefined, joined: joinMarks(runs, maxJoined), gapCount, runCount });
  }

  /** Two pieces as one, when they touch and are small. */
  #joined(a: SearchedPiece, b: SearchedPiece): SearchedPiece | undefined {
    const [low, high] = a.first.sequence < b.first.sequence ? [a, b] : [b, a];
    if (low.next.sequence !== high.first.sequence || high.next.at - low.first.at > this.bounds.searchBytes) return undefined;
    if (low.marks !== undefined && high.marks !== undefined) return this.#pieceOf(low.first, high.next, [...low.marks, ...high.marks]);
    const both = { gaps: [...low.joined.gaps, ...high.joined.gaps], errors: [...low.joined.errors, ...high.joined.errors] };
    const [lastRun, firstRun] = [low.joined.errors.at(-1), high.joined.errors[0]];
    const isOneRun = lastRun !== undefined && firstRun !== undefined && touch(lastRun, firstRun);
    return sized({
      first: low.first,
      next: high.next,
      marks: undefined,
      joined: joinMarks(both, this.bounds.maxJoined),
      gapCount: low.gapCount + high.gapCount,
      runCount: low.runCount + high.runCount - (isOneRun ? 1 : 0),
    });
  }

  #firstEndingAfter(sequence: number): number {
    let [from, to] = [0, this.#pieces.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#pieces[middle]?.next.sequence ?? Infinity) > sequence) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

function sized(piece: Omit<SearchedPiece, 'sizeBytes'>): SearchedPiece {
  const { marks, joined } = piece;
  const count = (marks?.length ?? 0) + joined.gaps.length + joined.errors.length;
  return { ...piece, sizeBytes: PIECE_BYTES + count * MARK_BYTES };
}
