/** Which part of time is shown (docs/design/page.md, G6): zoomed about a point, moved, kept within what there is, and following the position. Pure. */
import { MAX_VIEW_MS, MIN_VIEW_MS, type View } from './contract';

/** Within what the view stays: from the oldest media to now, or to the end of what is recorded no more. UTC milliseconds. */
export interface Limits {
  /** Undefined while nothing is recorded. */
  readonly oldestMs: number | undefined;
  readonly endMs: number;
}

/** Of the view, that may be seen beyond the limits. */
const BEYOND = 0.1;
/** However short the archive is, so much can be seen: it grows into it from the right. */
const SHORT_MS = 600_000;
/** Where the position is held while it plays on; of the view. */
const HOLD = 0.88;
/** Before the oldest, where all is shown; of the view. */
const BEFORE = 0.02;

export const spanOf = ({ fromMs, toMs }: View): number => toMs - fromMs;

/** The longest span that fits within the limits. */
export function longestSpan({ oldestMs, endMs }: Limits): number {
  if (oldestMs === undefined) return MAX_VIEW_MS;
  return Math.min(MAX_VIEW_MS, Math.max(SHORT_MS, (endMs - oldestMs) / (1 - 2 * BEYOND)));
}

const fitSpan = (spanMs: number, limits: Limits): number => Math.max(MIN_VIEW_MS, Math.min(spanMs, longestSpan(limits)));

/** A span that begins at `fromMs`, or as near to that as the limits let it. */
function placed(fromMs: number, spanMs: number, { oldestMs, endMs }: Limits): View {
  const last = endMs + BEYOND * spanMs - spanMs;
  const first = oldestMs === undefined ? -Infinity : Math.min(last, oldestMs - BEYOND * spanMs);
  const from = Math.min(Math.max(fromMs, first), last);
  return { fromMs: from, toMs: from + spanMs };
}

/** The view, within the limits; its middle stays where it can. */
export function clampView(view: View, limits: Limits): View {
  const spanMs = fitSpan(spanOf(view), limits);
  return placed((view.fromMs + view.toMs - spanMs) / 2, spanMs, limits);
}

/** Shows `factor` times as much; what is at `aboutMs` stays where it is. */
export function zoomView(view: View, factor: number, aboutMs: number, limits: Limits): View {
  const spanMs = fitSpan(spanOf(view) * factor, limits);
  const share = (aboutMs - view.fromMs) / spanOf(view);
  return placed(aboutMs - share * spanMs, spanMs, limits);
}

/** Moves by so much. */
export function moveView(view: View, byMs: number, limits: Limits): View {
  return placed(view.fromMs + byMs, fitSpan(spanOf(view), limits), limits);
}

/** As much of the archive as can be shown at once: the newest. As near to the right as it comes while it is followed: whoever plays there goes on to see all of it. */
export function wholeView(limits: Limits): View {
  const spanMs = fitSpan(limits.oldestMs === undefined ? SHORT_MS : (limits.endMs - limits.oldestMs) / (1 - BEYOND - BEFORE), limits);
  return placed(limits.endMs - spanMs * (1 - BEYOND), spanMs, limits);
}

/** The view that follows the position: the same while that is seen well, glides on with it, and jumps after it. */
export function followView(view: View, positionMs: number, limits: Limits): View {
  const spanMs = spanOf(view);
  const share = (positionMs - view.fromMs) / spanMs;
  if (share >= 0 && share <= HOLD) return view;
  const at = share > HOLD && share <= 1.05 ? HOLD : 0.5;
  return clampView({ fromMs: positionMs - at * spanMs, toMs: positionMs + (1 - at) * spanMs }, limits);
}

export const isSeen = ({ fromMs, toMs }: View, ms: number): boolean => ms >= fromMs && ms <= toMs;
