/**
 * The entries of a window with its gaps filled (P11): spans without media stand as EXT-X-GAP entries, so that the timeline has no hole.
 */
import { renderGapEntry } from '../../hls/index.js';
import type { Timeline } from '../contract.js';
import type { WindowRange } from '../window.js';

/** Lines are handed over in chunks of so many entries. */
const CHUNK_ENTRIES = 512;

/** The text of the window's entries, and of its gaps as far as they lie in [fromMs, toMs). */
export async function* markedText(timeline: Timeline, range: WindowRange, fromMs: number, toMs: number): AsyncIterable<Uint8Array> {
  let at = range.fromSequence;
  // The entry after the window is asked too: a gap before it reaches into the window.
  for (const { sequence, gap } of await timeline.gaps(range.fromSequence, Math.min(range.toSequence + 1, timeline.endSequence))) {
    if (sequence > at) yield* timeline.text(at, sequence);
    at = sequence;
    yield* gapText(Math.max(gap.fromMs, fromMs), Math.min(gap.toMs, toMs), timeline.targetDurationSec * 1000);
  }
  if (at < range.toSequence) yield* timeline.text(at, range.toSequence);
}

/** Entries of `longestMs` at most, as equal as whole milliseconds allow. */
function* gapText(fromMs: number, toMs: number, longestMs: number): Iterable<Uint8Array> {
  const [beginMs, lengthMs] = [Math.round(fromMs), Math.round(toMs) - Math.round(fromMs)];
  const count = Math.ceil(lengthMs / longestMs);
  const edgeMs = (index: number): number => beginMs + Math.floor((index * lengthMs) / count);
  for (let index = 0; index < count;) {
    let text = '';
    for (const chunkEnd = Math.min(count, index + CHUNK_ENTRIES); index < chunkEnd; index++) {
      text += renderGapEntry(edgeMs(index), edgeMs(index + 1) - edgeMs(index));
    }
    yield new TextEncoder().encode(text);
  }
}
