/**
 * What is remarkable in an archive (G10): gaps, and entries over which errors were counted; how neighbours are told together where there are too many. Pure.
 */
import type { EntryErrors, ToldErrors, ToldGap } from '../contract.js';
import type { Gap } from '../../model/index.js';
import { gapBefore } from './block.js';
import type { PlacedEntry } from './journal.js';

/** An entry with something remarkable. */
export interface Mark {
  readonly sequence: number;
  /** When it begins and ends; UTC milliseconds. */
  readonly wallMs: number;
  readonly endMs: number;
  /** Before it. */
  readonly gap: Gap | undefined;
  readonly errors: EntryErrors | undefined;
}

/** Entries with errors that follow one another, or are told as if they did. */
export interface ErrorRun extends ToldErrors {
  readonly fromSequence: number;
  readonly toSequence: number;
  /** There is a gap before the first of them. */
  readonly isAfterGap: boolean;
}

/** Marks told together. */
export interface JoinedMarks {
  readonly gaps: readonly ToldGap[];
  readonly errors: readonly ErrorRun[];
}

/** What is remarkable of an entry; undefined when nothing is. */
export function markOf(placed: PlacedEntry): Mark | undefined {
  const gap = gapBefore(placed);
  const errors = errorsOf(placed);
  if (gap === undefined && errors === undefined) return undefined;
  const { sequence, wallMs, endMs } = placed;
  return { sequence, wallMs, endMs, gap, errors };
}

function errorsOf({ entry: { facts } }: PlacedEntry): EntryErrors | undefined {
  if (facts === undefined) return undefined;
  const { continuity, transportError, syncSkippedBytes, scrambled } = facts.errors;
  const { lostBytes } = facts;
  if (continuity + transportError + syncSkippedBytes + scrambled + lostBytes === 0) return undefined;
  return { continuity, transportError, syncSkippedBytes, scrambled, lostBytes };
}

/** Marks in their order, each gap by itself, entries with errors that touch as one run. */
export function runsOf(marks: readonly Mark[], fromMs = -Infinity, toMs = Infinity): JoinedMarks {
  const gaps = marks.flatMap(({ gap }) => (gap === undefined ? [] : [toldGap(gap, fromMs, toMs)]));
  const errors = marks.flatMap((mark) => errorRun(mark) ?? []);
  return { gaps, errors: joinTouching(errors) };
}

/** At most `most` of each kind: those are joined between which there is least. Nothing is left out. */
export function joinMarks({ gaps, errors }: JoinedMarks, most: number): JoinedMarks {
  return { gaps: joinNearest(gaps, most, joinGaps), errors: joinNearest(joinTouching(errors), most, joinRuns) };
}

function toldGap(gap: Gap, fromMs: number, toMs: number): ToldGap {
  const lostMs = Math.min(gap.toMs, toMs) - Math.max(gap.fromMs, fromMs);
  return { ...gap, count: 1, longestMs: gap.toMs - gap.fromMs, lostMs };
}

function errorRun({ sequence, wallMs, endMs, gap, errors }: Mark): ErrorRun | undefined {
  if (errors === undefined) return undefined;
  return {
    fromMs: wallMs,
    toMs: endMs,
    count: 1,
    kinds: errors,
    fromSequence: sequence,
    toSequence: sequence + 1,
    isAfterGap: gap !== undefined,
  };
}

function joinGaps(a: ToldGap, b: ToldGap): ToldGap {
  const { reason, longestMs } = b.longestMs > a.longestMs ? b : a;
  return { fromMs: a.fromMs, toMs: Math.max(a.toMs, b.toMs), reason, longestMs, count: a.count + b.count, lostMs: a.lostMs + b.lostMs };
}

function joinRuns(a: ErrorRun, b: ErrorRun): ErrorRun {
  return {
    fromMs: a.fromMs,
    toMs: Math.max(a.toMs, b.toMs),
    count: a.count + b.count,
    kinds: {
      continuity: a.kinds.continuity + b.kinds.continuity,
      transportError: a.kinds.transportError + b.kinds.transportError,
      syncSkippedBytes: a.kinds.syncSkippedBytes + b.kinds.syncSkippedBytes,
      scrambled: a.kinds.scrambled + b.kinds.scrambled,
      lostBytes: a.kinds.lostBytes + b.kinds.lostBytes,
    },
    fromSequence: a.fromSequence,
    toSequence: b.toSequence,
    isAfterGap: a.isAfterGap,
  };
}

/** Whether nothing lies between two runs. */
export function touch(a: ErrorRun, b: ErrorRun): boolean {
  return a.toSequence === b.fromSequence && !b.isAfterGap;
}

function joinTouching(runs: readonly ErrorRun[]): ErrorRun[] {
  const joined: ErrorRun[] = [];
  for (const run of runs) {
    const before = joined.at(-1);
    if (before !== undefined && touch(before, run)) joined[joined.length - 1] = joinRuns(before, run);
    else joined.push(run);
  }
  return joined;
}

/** Joins neighbours until there are no more than `most`; the widest spaces between them stay. */
function joinNearest<T extends { readonly fromMs: number; readonly toMs: number }>(
  list: readonly T[],
  most: number,
  join: (a: T, b: T) => T,
): readonly T[] {
  if (list.length <= most) return list;
  const spaces = list.slice(1).map((item, i) => ({ i: i + 1, ms: item.fromMs - (list[i]?.toMs ?? NaN) }));
  spaces.sort((a, b) => b.ms - a.ms || a.i - b.i);
  const kept = new Set(spaces.slice(0, most - 1).map(({ i }) => i));
  const joined: T[] = [];
  for (const [i, item] of list.entries()) {
    const before = joined.at(-1);
    if (before === undefined || kept.has(i)) joined.push(item);
    else joined[joined.length - 1] = join(before, item);
  }
  return joined;
}
