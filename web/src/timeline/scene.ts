/** What is to be drawn and where, from what is known (docs/design/page.md, G6): the same for the canvas and for what the pointer is over. Pure. */
import type { Keep } from '../api';
import { clockText, dayText, shortDayText, zoneName, type Zone } from '../time/format';
import type { Marks } from './contract';
import { without, type ErrorFact, type Facts, type GapFact } from './facts';
import type { Rows } from './rows';
import { joinByPixel, toX, type Joined, type Scale, type Span } from './scale';
import { ticksOf, type Ticks } from './ticks';

/** A gap is never thinner, a mark of errors neither; CSS pixels. */
const LEAST_GAP_PX = 2;
const LEAST_ERROR_PX = 3;
/** So many packets are a mark of full height. */
const FULL_PACKETS = 10_000;
/** A full date fits beside ticks. */
const WIDE_PX = 560;

/** What a scene is made of. */
export interface SceneInput {
  readonly scale: Scale;
  readonly rows: Rows;
  readonly facts: Facts;
  /** Of the archive, as the server told; undefined when nothing is recorded or known. */
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
  /** As events tell it. */
  readonly edgeMs: number | undefined;
  readonly openGap: GapFact | undefined;
  readonly nowMs: number;
  readonly keeps: readonly Keep[];
  readonly marks: Marks;
  readonly positionMs: number | undefined;
  /** Where the player is to go, and is not yet. */
  readonly pendingMs: number | undefined;
  readonly isLive: boolean;
  readonly zone: Zone;
}

/** A span on the line; CSS pixels. */
export interface Stretch {
  readonly x0: number;
  readonly x1: number;
}

/** A kept window. */
export interface KeepBox extends Stretch, Span {
  readonly name: string;
}

/** What is drawn. Pixels are CSS pixels from the left. */
export interface Scene {
  readonly scale: Scale;
  readonly rows: Rows;
  readonly ticks: Ticks;
  /** The day at the left edge. */
  readonly date: string;
  /** Media, gaps among it, and what of the archive is not known yet. */
  readonly media: readonly Stretch[];
  readonly unknown: readonly Stretch[];
  readonly gaps: readonly GapFact[];
  readonly gapBoxes: readonly Joined[];
  readonly errors: readonly ErrorFact[];
  /** With the height of each, 0 to 1. */
  readonly errorBoxes: readonly (Joined & { readonly share: number })[];
  readonly keeps: readonly KeepBox[];
  readonly inX: number | undefined;
  readonly outX: number | undefined;
  readonly position: { readonly x: number; readonly text: string } | undefined;
  readonly pendingX: number | undefined;
  readonly liveX: number | undefined;
  /** Where media and gaps are known. */
  readonly known: readonly Span[];
  readonly oldestMs: number | undefined;
  /** Of what is recorded, or of the gap that goes on. */
  readonly endMs: number | undefined;
}

/** Where what is recorded ends: the later of what the server said and what events say, and now while there is a gap. */
export function endOf({
  newestMs,
  edgeMs,
  openGap,
}: {
  readonly newestMs: number | undefined;
  readonly edgeMs: number | undefined;
  readonly openGap: Span | undefined;
}): number | undefined {
  const endMs = Math.max(newestMs ?? -Infinity, edgeMs ?? -Infinity, openGap?.toMs ?? -Infinity);
  return endMs === -Infinity ? undefined : endMs;
}

/** The gaps that are known, and the one that goes on. */
export function gapsWith(gaps: readonly GapFact[], openGap: GapFact | undefined): readonly GapFact[] {
  return openGap === undefined ? gaps : [...gaps.filter(({ toMs }) => toMs <= openGap.fromMs), openGap];
}

/** What is to be drawn. */
export function sceneOf(input: SceneInput): Scene {
  const { scale, rows, facts, marks, positionMs, zone, nowMs } = input;
  const endMs = endOf(input);
  const { oldestMs } = input;
  // Events may tell of the end before the server has told the beginning.
  const beginMs = oldestMs ?? scale.view.fromMs;
  const whole: Span[] = endMs === undefined || endMs <= beginMs ? [] : [{ fromMs: beginMs, toMs: endMs }];
  let unknown = whole;
  for (const span of facts.known) unknown = without(unknown, span);
  if (input.newestMs !== undefined && endMs !== undefined) unknown = without(unknown, { fromMs: input.newestMs, toMs: endMs });
  let known = whole;
  for (const span of unknown) known = without(known, span);

  const gaps = gapsWith(facts.gaps, input.openGap).filter(({ toMs }) => toMs > (oldestMs ?? Infinity));
  const errorBoxes = joinByPixel(facts.errors, scale, LEAST_ERROR_PX);
  const xOf = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : toX(scale, ms));
  const fullDate = `${dayText(scale.view.fromMs, zone)} ${zoneName(scale.view.fromMs, zone)}`;
  return {
    scale,
    rows,
    ticks: ticksOf(scale, zone),
    date: scale.width < WIDE_PX ? shortDayText(scale.view.fromMs, zone) : fullDate,
    known,
    media: joinByPixel(known, scale, 1),
    unknown: joinByPixel(unknown, scale, 1),
    gaps,
    gapBoxes: joinByPixel(gaps, scale, LEAST_GAP_PX),
    errors: facts.errors,
    errorBoxes: errorBoxes.map((box) => ({ ...box, share: shareOf(facts.errors, box) })),
    keeps: keepBoxes(input.keeps, scale),
    inX: xOf(marks.inMs),
    outX: xOf(marks.outMs),
    position:
      positionMs === undefined
        ? undefined
        : { x: toX(scale, positionMs), text: input.isLive ? `LIVE ${clockText(positionMs, zone)}` : clockText(positionMs, zone) },
    pendingX: xOf(input.pendingMs),
    // The edge of what is recorded now: an archive that ended long ago has none.
    liveX: endMs !== undefined && input.edgeMs !== undefined && nowMs - endMs < 60_000 ? toX(scale, endMs) : undefined,
    oldestMs,
    endMs,
  };
}

/** How high the mark of some errors is: by powers of ten, since one is to be seen and ten thousand is more than ten. */
function shareOf(errors: readonly ErrorFact[], { first, last }: Joined): number {
  let packets = 0;
  for (let i = first; i <= last; i++) packets += errors[i]?.packets ?? 0;
  return Math.min(1, Math.log10(1 + packets) / Math.log10(FULL_PACKETS));
}

function keepBoxes(keeps: readonly Keep[], scale: Scale): KeepBox[] {
  return keeps
    .flatMap(({ name, started_at: from, last_segment_at: to }) => {
      if (from === null || to === null) return [];
      const span = { fromMs: Date.parse(from), toMs: Date.parse(to) };
      if (span.toMs < scale.view.fromMs || span.fromMs > scale.view.toMs) return [];
      const x0 = Math.max(-8, Math.floor(toX(scale, span.fromMs)));
      return [{ ...span, name, x0, x1: Math.min(scale.width + 8, Math.max(x0 + 4, Math.ceil(toX(scale, span.toMs)))) }];
    })
    .sort((a, b) => a.fromMs - b.fromMs);
}

/** A mark takes hold of the pointer from so far; CSS pixels. Half a target of 24. */
const HANDLE_PX = 12;

/** The handle of a mark at a pixel. */
export function handleAt({ inX, outX }: Pick<Scene, 'inX' | 'outX'>, x: number): 'in' | 'out' | undefined {
  const [toIn, toOut] = [Math.abs(x - (inX ?? Infinity)), Math.abs(x - (outX ?? Infinity))];
  if (Math.min(toIn, toOut) > HANDLE_PX) return undefined;
  // Both in one place: the one on whose side the pointer is, so that they can be drawn apart again.
  if (toIn === toOut) return x < (inX ?? 0) ? 'in' : 'out';
  return toIn < toOut ? 'in' : 'out';
}

/** In and out are apart by this at least; milliseconds. */
const LEAST_CLIP_MS = 100;

/** The marks with one of them moved: never past the other. */
export function movedMarks(marks: Marks, which: 'in' | 'out', ms: number): Marks {
  return which === 'in'
    ? { ...marks, inMs: Math.min(ms, (marks.outMs ?? Infinity) - LEAST_CLIP_MS) }
    : { ...marks, outMs: Math.max(ms, (marks.inMs ?? -Infinity) + LEAST_CLIP_MS) };
}
