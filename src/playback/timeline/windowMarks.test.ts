/** Marks put together from pieces (G10): bounds so small that most pieces are joined ones, filled in any order, pruned and forgotten, against the list of all marks. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GAP_REASONS } from '../../model/index.js';
import { BlockCache } from './blockCache.js';
import type { Cursor } from './journal.js';
import { MarkIndex, type SearchedPiece } from './markIndex.js';
import type { Mark } from './marks.js';
import { windowMarks } from './windowMarks.js';

const ENTRY_MS = 4000;
/** Of each entry in the journal. */
const ENTRY_BYTES = 100;
const NO_ERRORS = { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, lostBytes: 0 };

/** What there is of each entry. */
interface Kind {
  readonly isAfterGap: boolean;
  readonly continuity: number;
}

const kind: fc.Arbitrary<Kind> = fc.record({
  isAfterGap: fc.boolean(),
  continuity: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 })),
});

/** An archive of four seconds an entry, each of which may have a gap of one to three seconds and a half before it. */
function marksOf(kinds: readonly Kind[]): Mark[] {
  let wallMs = 0;
  return kinds.map(({ isAfterGap, continuity }, sequence) => {
    const fromMs = wallMs;
    if (isAfterGap && sequence > 0) wallMs += 1000 + (sequence % 6) * 500;
    const gap = wallMs === fromMs ? undefined : { fromMs, toMs: wallMs, reason: GAP_REASONS[sequence % GAP_REASONS.length]! };
    const mark = { sequence, wallMs, endMs: wallMs + ENTRY_MS, gap, errors: continuity === 0 ? undefined : { ...NO_ERRORS, continuity } };
    wallMs += ENTRY_MS;
    return mark;
  });
}

const cursorAt = (sequence: number): Cursor => ({
  at: sequence * ENTRY_BYTES,
  sequence,
  discontinuitySequence: NaN,
  wallMs: NaN,
  endedMs: NaN,
});

/** Searches a list as stream.ts searches a journal. */
class Lab {
  readonly cache: BlockCache<SearchedPiece>;
  readonly index: MarkIndex;
  readonly #marks: readonly Mark[];
  /** How often was searched. */
  searches = 0;

  constructor(marks: readonly Mark[], maxCacheBytes: number) {
    this.#marks = marks;
    this.cache = new BlockCache(maxCacheBytes);
    this.index = new MarkIndex(this.cache, { searchBytes: 20 * ENTRY_BYTES, maxMarks: 4, maxJoined: 3 });
  }

  async searched(sequence: number): Promise<SearchedPiece> {
    const held = this.index.holding(sequence);
    if (held !== undefined) return held;
    this.searches += 1;
    const first = this.index.endingAt(sequence)?.next ?? cursorAt(sequence);
    const to = Math.min(this.index.after(sequence)?.first.sequence ?? this.#marks.length, sequence + 20);
    return this.index.add(first, cursorAt(to), this.#between(sequence, to));
  }

  async marksOf(piece: SearchedPiece, fromSequence: number): Promise<readonly Mark[]> {
    return this.#between(fromSequence, piece.next.sequence);
  }

  #between(from: number, to: number): Mark[] {
    return this.#marks.slice(from, to).filter(({ gap, errors }) => gap !== undefined || errors !== undefined);
  }
}

describe('G10: marks of a window', () => {
  it('are all of them, by themselves where there is room', async () => {
    const window = fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 200 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(kind, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.oneof({ weight: 4, arbitrary: window }, { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) }), {
          maxLength: 8,
        }),
        fc.constantFrom(0, 3000, 1e9),
        async (few, count, asked, maxCacheBytes) => {
          const marks = marksOf(Array.from({ length: count }, (_, i) => few[(i + (i >> 3)) % few.length]!));
          const lab = new Lab(marks, maxCacheBytes);
          let oldest = 0;
          for (const one of asked) {
            if (typeof one === 'number') {
              oldest += Math.floor(one * (count - 1 - oldest));
              lab.index.drop(cursorAt(oldest));
              continue;
            }
            const [a, b, most] = [oldest + (one[0] % (count - oldest)), oldest + (one[1] % (count - oldest)), one[2]];
            const [first, last] = [marks[Math.min(a, b)]!, marks[Math.max(a, b)]!];
            const { wallMs: fromMs, endMs: toMs } = { wallMs: first.wallMs + (one[0] % ENTRY_MS), endMs: last.endMs - (one[1] % 1999) };
            if (fromMs >= toMs) continue;
            const toSequence = Math.min(last.sequence + 2, count);
            const told = await windowMarks(lab, { fromSequence: first.sequence, toSequence, fromMs, toMs }, most);
            const within = marks.slice(first.sequence, toSequence);
            const gaps = within.flatMap(({ gap }) => (gap && gap.toMs > fromMs && gap.fromMs < toMs ? [gap] : []));
            const faulty = within.filter(({ endMs, wallMs, errors }) => errors && endMs > fromMs && wallMs < toMs);
            expect(told.gaps.length).toBeLessThanOrEqual(most);
            expect(told.gaps.reduce((sum, gap) => sum + gap.count, 0)).toBe(gaps.length);
            if (gaps.length <= most) expect(told.gaps.every((gap) => gap.count === 1)).toBe(true);
            let at = 0;
            for (const gap of told.gaps) {
              const mine = gaps.slice(at, (at += gap.count));
              expect([gap.fromMs, gap.toMs]).toEqual([mine[0]!.fromMs, mine.at(-1)!.toMs]);
              const lostMs = mine.reduce((sum, { fromMs: from, toMs: to }) => sum + Math.min(to, toMs) - Math.max(from, fromMs), 0);
              expect(gap.lostMs).toBe(lostMs);
            }
            const runs = faulty.filter(
              ({ sequence, gap }, i) => i === 0 || gap !== undefined || faulty[i - 1]!.sequence + 1 !== sequence,
            ).length;
            expect(told.errors.length).toBeLessThanOrEqual(most);
            if (runs <= most) expect(told.errors.length).toBe(runs);
            at = 0;
            for (const run of told.errors) {
              const mine = faulty.slice(at, (at += run.count));
              expect([run.fromMs, run.toMs]).toEqual([mine[0]!.wallMs, mine.at(-1)!.endMs]);
              expect(run.kinds.continuity).toBe(mine.reduce((sum, { errors }) => sum + (errors?.continuity ?? 0), 0));
            }
            expect(at).toBe(faulty.length);
          }
          lab.index.forget();
          expect(lab.cache.bytes).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('what was searched is held in memory that is bounded, and not searched again', async () => {
    const kinds = Array.from({ length: 4000 }, (_, i): Kind => ({ isAfterGap: i % 3 === 0, continuity: i % 2 }));
    const lab = new Lab(marksOf(kinds), 1e9);
    const all = { fromSequence: 0, toSequence: 4000, fromMs: 0, toMs: Infinity };
    const first = await windowMarks(lab, all, 50);
    expect(lab.searches).toBe(200);
    expect(await windowMarks(lab, all, 50)).toEqual(first);
    expect(lab.searches).toBe(200);
    // 200 pieces with no more than three of each kind
    expect(lab.cache.bytes).toBeLessThan(200 * 7 * 256);
    lab.index.drop(cursorAt(3990));
    expect(lab.index.holding(3989)).toBeUndefined();
    expect(lab.cache.bytes).toBeLessThan(2 * 7 * 256);
  });

  it('growth is joined to what was searched, however often it is asked for', async () => {
    const marks = marksOf(Array.from({ length: 400 }, (): Kind => ({ isAfterGap: false, continuity: 1 })));
    const index = new MarkIndex(new BlockCache(1e9), { searchBytes: 20 * ENTRY_BYTES, maxMarks: 4, maxJoined: 3 });
    for (let i = 0; i < 400; i++) index.add(cursorAt(i), cursorAt(i + 1), [marks[i]!]);
    // Pieces of twenty entries, in each of which one run of errors.
    const pieces: SearchedPiece[] = [];
    for (let next = 0; next < 400; next = pieces.at(-1)!.next.sequence) pieces.push(index.holding(next)!);
    expect(pieces.map(({ joined, gapCount, runCount }) => [joined.errors.length, gapCount, runCount])).toEqual(pieces.map(() => [1, 0, 1]));
    expect(pieces.length).toBe(20);
  });
});
