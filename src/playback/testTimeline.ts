/** A timeline over a list of entries, for the tests of what stands on timelines. */
import { LivetapeError } from '../base/index.js';
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
  const first = list[0]!;
  const firstSequence = first.mediaSequence;
  const entries = list.map((entry, index) => ({ ...entry, mediaSequence: firstSequence + index }));
  const range = (from: number, to: number): TimelineEntry[] => entries.slice(from - firstSequence, to - firstSequence);
  return {
    version: 'v',
    targetDurationSec: 6,
    playlistVersion: 3,
    type: undefined,
    ended: false,
    pruned: false,
    firstSequence,
    endSequence: firstSequence + entries.length,
    startMs: first.wallMs,
    endMs: endMs(entries.at(-1)!),
    at(wallMs) {
      const index = entries.findIndex((entry) => endMs(entry) > wallMs);
      return Promise.resolve(firstSequence + (index < 0 ? entries.length : index));
    },
    back: () => Promise.reject(new Error('not played')),
    entry(sequence) {
      const entry = entries[sequence - firstSequence];
      return entry ? Promise.resolve(entry) : Promise.reject(new LivetapeError('WINDOW_EXPIRED', `entry ${sequence} is not there`));
    },
    async *entries(from, to) {
      await Promise.resolve();
      for (let at = from; at < to; at += 3) yield range(at, Math.min(to, at + 3));
    },
    text: () => {
      throw new Error('not played');
    },
    gaps: (from, to) =>
      Promise.resolve(
        range(from, to)
          .filter((entry): entry is TimelineEntry & { gap: Gap } => entry.gap !== undefined)
          .map(({ mediaSequence, gap }) => ({ sequence: mediaSequence, gap })),
      ),
    ...more,
  };
}
