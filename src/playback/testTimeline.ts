/** A timeline over a list of entries, for the tests of what stands on timelines. */
import { LivetapeError } from '../base/index.js';
import { renderEntry } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import type { Timeline, TimelineEntry } from './contract.js';

/** 2026-01-01T00:00:00.000Z */
export const START_MS = Date.UTC(2026, 0, 1);

/** An entry of four seconds that begins so many after {@link START_MS}, with whatever else is said. */
export function entryAt(seconds: number, more: Partial<TimelineEntry> = {}): TimelineEntry {
  return {
    mediaSequence: seconds / 4,
    discontinuitySequence: 0,
    discontinuity: false,
    wallMs: START_MS + seconds * 1000,
    durationUs: 4_000_000,
    uri: `${String(seconds / 4).padStart(6, '0')}.ts`,
    sizeBytes: undefined,
    cumulativeBytes: undefined,
    headBytes: undefined,
    keyframes: undefined,
    pts: undefined,
    gap: undefined,
    ...more,
  };
}

const endMs = (entry: TimelineEntry): number => entry.wallMs + entry.durationUs / 1000;

/** A timeline of `list`, whose media sequence is counted from that of the first. */
export function timelineOf(list: readonly TimelineEntry[], more: Partial<Timeline> = {}): Timeline {
  const base = list[0]!.mediaSequence;
  const entries = list.map((entry, index) => ({ ...entry, mediaSequence: base + index }));
  return timelineOver(entries, base, base + entries.length, more);
}

/** A timeline of those of `entries`, which are numbered on from their first, whose numbers are in [firstSequence, endSequence). */
export function timelineOver(
  entries: readonly TimelineEntry[],
  firstSequence: number,
  endSequence: number,
  more: Partial<Timeline> = {},
): Timeline {
  const base = entries[0]!.mediaSequence;
  const range = (from: number, to: number): TimelineEntry[] =>
    entries.slice(Math.max(from, firstSequence) - base, Math.min(to, endSequence) - base);
  return {
    version: 'v',
    targetDurationSec: 6,
    playlistVersion: 3,
    type: undefined,
    ended: false,
    pruned: false,
    firstSequence,
    endSequence,
    startMs: entries[firstSequence - base]!.wallMs,
    endMs: endMs(entries[endSequence - 1 - base]!),
    totalSizeBytes: undefined,
    at(wallMs) {
      let [low, high] = [firstSequence, endSequence];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (endMs(entries[middle - base]!) > wallMs) high = middle;
        else low = middle + 1;
      }
      return Promise.resolve(low);
    },
    back(end, durationMs) {
      let at = end;
      for (let sumMs = 0; at > firstSequence && sumMs < durationMs; at--) sumMs += entries[at - 1 - base]!.durationUs / 1000;
      return Promise.resolve(at);
    },
    entry(sequence) {
      const [entry] = range(sequence, sequence + 1);
      return entry ? Promise.resolve(entry) : Promise.reject(new LivetapeError('WINDOW_EXPIRED', `entry ${sequence} is not there`));
    },
    async *entries(from, to) {
      await Promise.resolve();
      for (let at = from; at < to; at += 3) yield range(at, Math.min(to, at + 3));
    },
    async *text(from, to) {
      await Promise.resolve();
      for (let at = from; at < to; at += 100) {
        const lines = range(at, Math.min(to, at + 100)).map((entry) => renderEntry({ ...entry, facts: undefined, unknownTags: [] }));
        yield new TextEncoder().encode(lines.join(''));
      }
    },
    gaps: (from, to) =>
      Promise.resolve(
        range(from, to)
          .filter((entry): entry is TimelineEntry & { gap: Gap } => entry.gap !== undefined)
          .map(({ mediaSequence, gap }) => ({ sequence: mediaSequence, gap })),
      ),
    marks: () => Promise.reject(new Error('these entries are not searched for marks')),
    ...more,
  };
}
