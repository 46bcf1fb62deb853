/**
 * The entries of a window with its gaps filled (P11): spans without media stand as EXT-X-GAP entries, so that the timeline has no hole.
 */
import { renderGapEntry } from '../../hls/index.js';
import type { Timeline, TimelineEntry } from '../contract.js';
import type { WindowRange } from '../window.js';

/** Lines are handed over in chunks of so many entries. */
const CHUNK_ENTRIES = 512;

/** What is missing at a window's end is filled when it is more than this, the least that is a gap (docs/design/time.md). */
const LEAST_GAP_MS = 1000;

/**
 * The text of the window's entries, and of its gaps as far as they lie in [fromMs, toMs).
 * @param last - the last of the entries
 */
export async function* markedText(
  timeline: Timeline,
  range: WindowRange,
  last: TimelineEntry,
  fromMs: number,
  toMs: number,
): AsyncIterable<Uint8Array> {
  const targetMs = timeline.targetDurationSec * 1000;
  let at = range.fromSequence;
  for (const { sequence, gap } of await timeline.gaps(range.fromSequence, range.toSequence)) {
    if (sequence > at) yield* timeline.text(at, sequence);
    at = sequence;
    yield* gapText(Math.max(gap.fromMs, fromMs), gap.toMs, targetMs);
  }
  yield* timeline.text(at, range.toSequence);
  // By the last entry alone: what comes after the window may come later, and a VOD does not change (RFC 8216, 4.3.3.5).
  const lastEndMs = last.wallMs + last.durationUs / 1000;
  if (toMs - lastEndMs > LEAST_GAP_MS) yield* gapText(lastEndMs, toMs, targetMs);
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
