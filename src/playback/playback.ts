/**
 * The read side of all streams, put together: timelines, playlists, segments, exports and previews over one bound of memory (`cache_mb`: a quarter
 * for timelines, the rest for segments).
 */
import { LivetapeError, type Clock } from '../base/index.js';
import type { StreamStorage } from '../storage/index.js';
import type { PlaceOf, Playback, PlaylistLimits } from './contract.js';
import { exportTs } from './media/exportTs.js';
import { preview } from './media/preview.js';
import { openSegments } from './media/segments.js';
import { answerPlaylist } from './playlists/answer.js';
import { archiveStatus } from './playlists/status.js';
import { openTimelines } from './timeline/timelines.js';

/** Part of the memory that timelines may have. */
const TIMELINES_PART = 0.25;

/** What the read side is given. */
export interface PlaybackOptions {
  readonly place: PlaceOf;
  readonly clock: Clock;
  /** For all streams together. */
  readonly maxCacheBytes: number;
  /** Asked at each request, so that a changed configuration holds at once. */
  limits(): PlaylistLimits;
}

/** The read side over the streams that `place` knows. */
export function openPlayback(options: PlaybackOptions): Playback {
  const { place, clock, maxCacheBytes } = options;
  const timelines = openTimelines({ place, clock, maxCacheBytes: maxCacheBytes * TIMELINES_PART });
  const segments = openSegments({ place, clock, maxCacheBytes: maxCacheBytes * (1 - TIMELINES_PART) });
  const placeOf = (code: string): StreamStorage => {
    const found = place(code);
    if (!found) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
    return found;
  };
  /** The window, when it is not longer than one request may ask for (P14). */
  const bounded = (durationMs: number): void => {
    const { maxWindowMs } = options.limits();
    if (durationMs > maxWindowMs) {
      throw new LivetapeError('WINDOW_TOO_LONG', `one request may ask for ${maxWindowMs / 1000} s, not ${durationMs / 1000} s`);
    }
  };
  const playback: Playback = {
    timelines,
    async playlist(code, request) {
      return answerPlaylist(await timelines.timeline(code), request, { nowMs: clock.nowMs(), limits: options.limits() });
    },
    segment: (code, name) => segments.segment(code, name),
    async exportTs(code, fromMs, durationMs) {
      bounded(durationMs);
      return exportTs(await timelines.timeline(code), placeOf(code), fromMs, fromMs + durationMs, clock.nowMs());
    },
    async preview(code, atMs) {
      return preview(await timelines.timeline(code), placeOf(code), atMs, clock.nowMs());
    },
    async status(code, window) {
      return archiveStatus(await timelines.timeline(code), placeOf(code), window);
    },
    get stats() {
      const { cachedBytes, hits, misses } = segments.stats;
      return { timelineBytes: timelines.stats.cachedBytes, segmentBytes: cachedBytes, segmentHits: hits, segmentMisses: misses };
    },
    close: () => segments.close(),
    [Symbol.asyncDispose]: () => playback.close(),
  };
  return playback;
}
