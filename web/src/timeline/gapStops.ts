/** Where a jump to the next or previous gap leads: shortly before it, so that one sees the picture go (docs/design/page.md, G6). Pure. */
import type { GapFact } from './facts';

/** So much of what came before a gap is played; milliseconds. */
export const LEAD_MS = 3000;
/** Within so much after a stop, `previous` means the one before: it has been seen. */
const SEEN_MS = 3000;

/** A gap, and where to play from to see it. */
export interface GapStop {
  readonly gap: GapFact;
  /** UTC milliseconds. */
  readonly seekMs: number;
}

/** The stops of gaps: never within the gap before. */
export function stopsOf(gaps: readonly GapFact[], oldestMs: number): GapStop[] {
  return gaps.map((gap, i) => ({ gap, seekMs: Math.max(gap.fromMs - LEAD_MS, gaps[i - 1]?.toMs ?? oldestMs, oldestMs) }));
}

/** The stop before a moment, and the one after it, of the gaps that are given. */
export function stopsAround(gaps: readonly GapFact[], oldestMs: number, ms: number): { previous?: GapStop; next?: GapStop } {
  const stops = stopsOf(gaps, oldestMs);
  // Whoever plays within the lead of a gap is on the way into that one: `next` is the one after.
  const previous = stops.findLast(({ seekMs }) => seekMs < ms - SEEN_MS);
  const next = stops.find(({ seekMs }) => seekMs > ms + 1);
  return { ...(previous && { previous }), ...(next && { next }) };
}
