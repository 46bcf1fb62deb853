/**
 * What is known of the entries of a journal, by address and media sequence, so that it outlives a prune: where some of them lie, the blocks that are
 * held, and of each full block that was seen what it sums up to. Small beside the blocks: the cache bounds those.
 */
import { BLOCK_ENTRIES, blockOf, type Block, type PlacedGap } from './block.js';
import type { BlockCache } from './blockCache.js';
import { cursorOf, type Cursor, type PlacedEntry } from './journal.js';
import { MarkIndex, type SearchedPiece } from './markIndex.js';
import type { Bracket, Goal, Point } from './search.js';

/** Points that are remembered; then each second one is forgotten. */
const MAX_POINTS = 2048;
/** A block with more gaps is read again for them. */
const MAX_GAPS = 64;

/** What a full block sums up to. */
export interface BlockSum {
  readonly durationUs: number;
  /** Undefined where they are too many to be remembered. */
  readonly gaps: readonly PlacedGap[] | undefined;
}

/** Where a block of another system's journal begins: it has to be counted from the beginning. */
interface BlockStart {
  readonly cursor: Cursor;
  /** The latest that an entry before it ends; UTC milliseconds. */
  readonly endedMs: number;
}

/** What is known of a journal's entries. */
export class Known {
  readonly loading = new Map<number, Promise<Block>>();
  readonly sums = new Map<number, BlockSum>();
  /** Gaps and errors that were found. */
  readonly marks: MarkIndex;
  readonly #cache: BlockCache<Block>;
  readonly #blocks = new Map<number, Block>();
  /** By media sequence. */
  #points: Point[] = [];
  readonly #starts = new Map<number, BlockStart>();
  #endedMs = -Infinity;

  constructor(cache: BlockCache<Block>, marks: BlockCache<SearchedPiece>) {
    this.#cache = cache;
    this.marks = new MarkIndex(marks);
  }

  /** A block that is held. */
  block(number: number): Block | undefined {
    const block = this.#blocks.get(number);
    if (block !== undefined) this.#cache.touch(block);
    return block;
  }

  /** Holds a block that was made or has grown. */
  hold(number: number, block: Block): void {
    this.#blocks.set(number, block);
    this.#cache.hold(block, () => this.#blocks.delete(number));
    if (!block.isFull) return;
    const gaps = block.gaps.length > MAX_GAPS ? undefined : block.gaps;
    this.sums.set(number, { durationUs: block.durationUs(block.firstSequence, block.endSequence), gaps });
  }

  /** Remembers where entries lie. */
  learn(points: Iterable<Point>): void {
    for (const point of points) {
      const i = this.#firstPoint((known) => known.sequence >= point.sequence);
      if (this.#points[i]?.sequence !== point.sequence) this.#points.splice(i, 0, point);
    }
    if (this.#points.length > MAX_POINTS) this.#points = this.#points.filter((_, i) => i % 2 === 0);
  }

  /** The points nearest to a goal, of those that are known and the two that are given. */
  bracket(goal: Goal, first: Point, last: Point): Bracket {
    const i = this.#firstPoint((point) => goal.reached(point));
    const [before, reached] = [this.#points[i - 1], this.#points[i]];
    return {
      before: before !== undefined && before.sequence > first.sequence ? before : first,
      reached: reached !== undefined && reached.sequence < last.sequence ? reached : last,
    };
  }

  /** The next entry of another system's journal. */
  pass(entry: PlacedEntry): void {
    const number = blockOf(entry.sequence);
    if (!this.#starts.has(number)) this.#starts.set(number, { cursor: cursorOf(entry), endedMs: this.#endedMs });
    this.#endedMs = Math.max(this.#endedMs, entry.endMs);
  }

  /** Where a block of another system's journal begins. */
  start(number: number): Cursor | undefined {
    return this.#starts.get(number)?.cursor;
  }

  /** The block of another system's journal that holds the first entry to end after `wallMs`. */
  blockEndingAfter(wallMs: number): number | undefined {
    const starts = [...this.#starts];
    const i = lowest(starts.length, (n) => (starts[n]?.[1].endedMs ?? Infinity) > wallMs);
    return starts[i - 1]?.[0];
  }

  /** Entries before `oldest` were pruned. */
  drop(oldest: Cursor): void {
    const { sequence } = oldest;
    this.marks.drop(oldest);
    this.#points = this.#points.slice(this.#firstPoint((point) => point.sequence >= sequence));
    for (const [number, block] of this.#blocks) {
      if ((number + 1) * BLOCK_ENTRIES > sequence) continue;
      this.#blocks.delete(number);
      this.#cache.forget(block);
    }
    for (const number of this.sums.keys()) if (number * BLOCK_ENTRIES < sequence) this.sums.delete(number);
  }

  /** Lets go of all blocks and marks. */
  forget(): void {
    this.marks.forget();
    for (const block of this.#blocks.values()) this.#cache.forget(block);
    this.#blocks.clear();
  }

  #firstPoint(test: (point: Point) => boolean): number {
    return lowest(this.#points.length, (i) => {
      const point = this.#points[i];
      return point === undefined || test(point);
    });
  }
}

/** The lowest of 0 to `count` for which `test` holds; it holds for all above. */
function lowest(count: number, test: (n: number) => boolean): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (test(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
