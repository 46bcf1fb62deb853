/**
 * What is known of a stretch of the archive, put together from answers of the server that may be coarser, older, and of other stretches (docs/design/page.md, G6
 * and G10). Pure.
 */
import type { GapReason, TimelineAnswer } from '../api';
import type { Span } from './scale';

/** A gap, or several that the server told as one. */
export interface GapFact extends Span {
  /** Of the longest. */
  readonly reason: GapReason;
  readonly count: number;
  /** It goes on. */
  readonly isOpen?: true;
}

/** Errors that were counted over a stretch. */
export interface ErrorFact extends Span {
  /** About so many packets are wrong or missing: bytes are counted as packets of 188. */
  readonly packets: number;
  readonly kinds: Readonly<Record<string, number>>;
}

/** What the server answered, as numbers. */
export interface Answer extends Span {
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  /** Nothing was told as one: it holds for every zoom. */
  readonly isExact: boolean;
  readonly gaps: readonly GapFact[];
  readonly errors: readonly ErrorFact[];
}

/** What is known of a stretch, oldest first. */
export interface Facts {
  /** Where there is an answer. Media is what of these is in no gap. */
  readonly known: readonly Span[];
  readonly gaps: readonly GapFact[];
  readonly errors: readonly ErrorFact[];
}

/** @param points - how many of a kind were asked for */
export function readAnswer(answer: TimelineAnswer, fromMs: number, toMs: number, points: number): Answer {
  const at = (text: string | null): number | undefined => (text === null ? undefined : Date.parse(text));
  const span = ({ from, to }: { readonly from: string; readonly to: string }): Span => ({ fromMs: Date.parse(from), toMs: Date.parse(to) });
  return {
    fromMs,
    toMs,
    oldestMs: at(answer.oldest),
    newestMs: at(answer.newest),
    isExact: answer.errors.length < points && answer.gaps.every(({ count }) => count === 1),
    gaps: answer.gaps.map((gap) => ({ ...span(gap), reason: gap.reason, count: gap.count })),
    errors: answer.errors.map((error) => ({ ...span(error), kinds: error.kinds, packets: packetsOf(error.kinds) })),
  };
}

function packetsOf(kinds: Readonly<Record<string, number>>): number {
  let packets = 0;
  for (const [kind, count] of Object.entries(kinds)) packets += kind.endsWith('_bytes') ? count / 188 : count;
  return Math.ceil(packets);
}

/** The stretch of an answer in which there was something to know: later there may be more. */
export const knownOf = ({ fromMs, toMs, newestMs }: Answer): Span => ({ fromMs, toMs: Math.min(toMs, newestMs ?? fromMs) });

/** Those of `spans` that are not in `taken`; both are cut where needed. */
export function without(spans: readonly Span[], taken: Span): Span[] {
  return spans.flatMap(({ fromMs, toMs }) =>
    taken.toMs <= fromMs || taken.fromMs >= toMs
      ? [{ fromMs, toMs }]
      : [
          { fromMs, toMs: taken.fromMs },
          { fromMs: taken.toMs, toMs },
        ].filter((left) => left.toMs > left.fromMs),
  );
}

/**
 * What is known of a stretch.
 * @param answers - the better first: of each moment the first that knows it is heard
 */
export function composeFacts(answers: Iterable<Answer>, stretch: Span): Facts {
  let missing: Span[] = [stretch];
  const [known, gaps, errors]: [Span[], GapFact[], ErrorFact[]] = [[], [], []];
  for (const answer of answers) {
    const range = knownOf(answer);
    for (const place of missing) {
      const piece = { fromMs: Math.max(place.fromMs, range.fromMs), toMs: Math.min(place.toMs, range.toMs) };
      if (piece.toMs <= piece.fromMs) continue;
      known.push(piece);
      for (const gap of gapsIn(answer.gaps, piece)) gaps.push(gap);
      // An error on the border is told by one side.
      for (const error of errorsIn(answer.errors, piece)) errors.push(error);
    }
    missing = without(missing, range);
    if (missing.length === 0) break;
  }
  const byBeginning = (a: Span, b: Span): number => a.fromMs - b.fromMs || a.toMs - b.toMs;
  return { known: touching(known.sort(byBeginning)), gaps: unique(gaps.sort(byBeginning)), errors: errors.sort(byBeginning) };
}

/** The gaps that reach into a piece: one alone as long as it is, several that are told as one no further than the piece, beside which others tell more. */
function gapsIn(gaps: readonly GapFact[], piece: Span): GapFact[] {
  return gaps
    .filter(({ fromMs, toMs }) => toMs > piece.fromMs && fromMs < piece.toMs)
    .map((gap) => (gap.count === 1 ? gap : { ...gap, fromMs: Math.max(gap.fromMs, piece.fromMs), toMs: Math.min(gap.toMs, piece.toMs) }));
}

function errorsIn(errors: readonly ErrorFact[], piece: Span): ErrorFact[] {
  return errors.filter(({ fromMs, toMs }) => {
    const middle = (fromMs + toMs) / 2;
    return middle >= piece.fromMs && middle < piece.toMs;
  });
}

function touching(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const before = joined.at(-1);
    if (before && span.fromMs <= before.toMs) joined[joined.length - 1] = { fromMs: before.fromMs, toMs: Math.max(before.toMs, span.toMs) };
    else joined.push(span);
  }
  return joined;
}

/** A gap on a border was told by both sides, perhaps with its neighbours by one. */
function unique(gaps: readonly GapFact[]): GapFact[] {
  const told: GapFact[] = [];
  for (const gap of gaps) {
    const before = told.at(-1);
    if (before === undefined || gap.fromMs >= before.toMs) told.push(gap);
    else {
      const longer = gap.toMs - gap.fromMs > before.toMs - before.fromMs ? gap : before;
      told[told.length - 1] = {
        ...longer,
        fromMs: before.fromMs,
        toMs: Math.max(before.toMs, gap.toMs),
        count: Math.max(before.count, gap.count),
      };
    }
  }
  return told;
}

/** The gap at a moment. */
export const gapAt = (gaps: readonly GapFact[], ms: number): GapFact | undefined =>
  gaps.find(({ fromMs, toMs }) => ms >= fromMs && ms < toMs);
