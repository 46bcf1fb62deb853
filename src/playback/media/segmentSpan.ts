/** When a segment was, by its name: found by bisecting, since numbers grow with the entries (F5), though not by one. */
import type { Timeline } from '../contract.js';

/** The span of a segment, UTC milliseconds; undefined when no entry names it. */
export async function segmentSpan(
  timeline: Timeline,
  name: string,
): Promise<{ readonly fromMs: number; readonly toMs: number } | undefined> {
  const wanted = numberOf(name);
  let [low, high] = [timeline.firstSequence, timeline.endSequence - 1];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const { uri, wallMs, durationUs } = await timeline.entry(middle);
    if (uri === name) return { fromMs: wallMs, toMs: wallMs + durationUs / 1000 };
    const number = numberOf(uri);
    if (Number.isNaN(number) || number === wanted) return undefined;
    if (number < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function numberOf(uri: string): number {
  return Number(/^(\d+)\.ts$/.exec(uri)?.[1] ?? NaN);
}
