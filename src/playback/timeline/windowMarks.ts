/**
 * The marks of a window, put together from what was searched (G10). What lies wholly inside is taken as it is remembered; at the edges marks are looked at one by one,
 * since some are outside.
 */
import type { ToldMarks } from '../contract.js';
import type { SearchedPiece } from './markIndex.js';
import { joinMarks, runsOf, type JoinedMarks, type Mark } from './marks.js';

/** The entries of a window, and its times in UTC milliseconds. */
export interface MarksWindow {
  readonly fromSequence: number;
  readonly toSequence: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What the marks are taken from. */
export interface MarksSource {
  /** What was searched and holds the entry. */
  searched(sequence: number): Promise<SearchedPiece>;
  /** The marks of a piece one by one, of entries from `fromSequence` on. */
  marksOf(piece: SearchedPiece, fromSequence: number): Promise<readonly Mark[]>;
}

interface Part {
  readonly piece: SearchedPiece;
  readonly joined: JoinedMarks;
  readonly gapCount: number;
  readonly runCount: number;
}

/** Gaps and errors that reach into the window, at most `most` of each. */
export async function windowMarks(source: MarksSource, window: MarksWindow, most: number): Promise<ToldMarks> {
  const { fromSequence, toSequence } = window;
  const parts: Part[] = [];
  for (let next = fromSequence; next < toSequence;) {
    const piece = await source.searched(next);
    // What was just searched may have been joined with what was searched before.
    while ((parts.at(-1)?.piece.next.sequence ?? 0) > piece.first.sequence) parts.pop();
    const isInside = piece.first.sequence > fromSequence && piece.next.sequence < toSequence;
    parts.push(isInside ? whole(piece) : exact(piece, await marksIn(source, piece, window), window));
    next = piece.next.sequence;
  }
  const isRoomFor = (count: 'gapCount' | 'runCount'): boolean => parts.reduce((sum, part) => sum + part[count], 0) <= most;
  const [allGaps, allRuns] = [isRoomFor('gapCount'), isRoomFor('runCount')];
  for (const [i, { piece, joined, gapCount, runCount }] of parts.entries()) {
    const isShort = (allGaps && joined.gaps.length < gapCount) || (allRuns && joined.errors.length < runCount);
    if (isShort) parts[i] = exact(piece, await marksIn(source, piece, window), window);
  }
  const all = { gaps: parts.flatMap(({ joined }) => joined.gaps), errors: parts.flatMap(({ joined }) => joined.errors) };
  return joinMarks(all, most);
}

const whole = (piece: SearchedPiece): Part => ({ piece, joined: piece.joined, gapCount: piece.gapCount, runCount: piece.runCount });

function exact(piece: SearchedPiece, marks: readonly Mark[], { fromMs, toMs }: MarksWindow): Part {
  const joined = runsOf(marks, fromMs, toMs);
  return { piece, joined, gapCount: joined.gaps.length, runCount: joined.errors.length };
}

async function marksIn(source: MarksSource, piece: SearchedPiece, window: MarksWindow): Promise<readonly Mark[]> {
  const { fromSequence, toSequence, fromMs, toMs } = window;
  const marks = piece.marks ?? (await source.marksOf(piece, Math.max(fromSequence, piece.first.sequence)));
  return marks.flatMap((mark) => {
    if (mark.sequence < fromSequence || mark.sequence >= toSequence) return [];
    const gap = mark.gap !== undefined && mark.gap.toMs > fromMs && mark.gap.fromMs < toMs ? mark.gap : undefined;
    const errors = mark.endMs > fromMs && mark.wallMs < toMs ? mark.errors : undefined;
    return [{ ...mark, gap, errors }];
  });
}
