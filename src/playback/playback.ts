/**
 * The read side of all streams, put together: timelines, playlists, segments, exports and previews over one bound of memory (`cache_mb`: a quarter
 * for timelines, the rest for segments).
 */
import { isLivetapeError, LivetapeError, type Clock } from '../base/index.js';
import type { StreamCode } from '../model/index.js';
import type { StreamStorage } from '../storage/index.js';
import type { PlaceOf, Playback, PlaylistLimits, Timeline, Timelines } from './contract.js';
import { archiveMarks } from './archiveMarks.js';
import { archiveSummary } from './archiveSummary.js';
import { exportTs } from './media/exportTs.js';
import { preview } from './media/preview.js';
import { segmentSpan } from './media/segmentSpan.js';
import { openSegments } from './media/segments.js';
import { LiveAnswers, answerPlaylist } from './playlists/answer.js';
import { archiveStatus } from './playlists/status.js';
import { openTimelines } from './timeline/timelines.js';

/** Part of the memory that timelines may have. */
const TIMELINES_PART = 0.25;

/** How often a request is read again because the archive is pruned under it. */
const MAX_TRIES = 5;

/** What the read side is given. */
export interface PlaybackOptions {
  readonly place: PlaceOf;
  /** Whether a stream is known although nothing of it is recorded yet; else it is none. */
  isKnown(code: StreamCode): boolean;
  readonly clock: Clock;
  /** For all streams together. */
  readonly maxCacheBytes: number;
  /** Asked at each request, so that a changed configuration holds at once. */
  limits(): PlaylistLimits;
}

/** The read side over the streams that `place` knows. */
export function openPlayback(options: PlaybackOptions): Playback {
  const { place, clock, maxCacheBytes } = options;
  const followed = openTimelines({ place, clock, maxCacheBytes: maxCacheBytes * TIMELINES_PART });
  const timelines: Timelines = {
    timeline: (code) =>
      followed.timeline(code).catch((error: unknown) => {
        if (!isLivetapeError(error, 'NOTHING_RECORDED')) throw error;
        if (!options.isKnown(code)) throw notFound(code);
        throw new LivetapeError('NOTHING_RECORDED', `no segment of stream ${code} is recorded yet`, { cause: error, context: { code } });
      }),
    get stats() {
      return followed.stats;
    },
  };
  /** What is read of a timeline, and read again where the archive was pruned between two looks at it. */
  const reading = async <T>(code: StreamCode, read: (timeline: Timeline) => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const timeline = await timelines.timeline(code);
      try {
        return await read(timeline);
      } catch (error) {
        if (!isLivetapeError(error, 'WINDOW_EXPIRED') || tries >= MAX_TRIES) throw error;
        if ((await timelines.timeline(code)).version === timeline.version) throw error;
      }
    }
  };
  const segments = openSegments({ place, clock, maxCacheBytes: maxCacheBytes * (1 - TIMELINES_PART) });
  const answers = new LiveAnswers();
  const placeOf = (code: string): StreamStorage => {
    const found = place(code);
    if (!found) throw notFound(code);
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
    playlist: (code, request) =>
      reading(code, (timeline) => {
        const given = { nowMs: clock.nowMs(), limits: options.limits() };
        return request.kind === 'live' ? answers.of(timeline, request, given) : answerPlaylist(timeline, request, given);
      }),
    segment: (code, name) => segments.segment(code, name),
    spanOf: (code, name) => reading(code, (timeline) => segmentSpan(timeline, name)),
    async exportTs(code, fromMs, durationMs) {
      bounded(durationMs);
      return reading(code, (timeline) => exportTs(timeline, placeOf(code), fromMs, fromMs + durationMs, clock.nowMs()));
    },
    preview: (code, atMs) => reading(code, (timeline) => preview(timeline, placeOf(code), atMs, clock.nowMs())),
    status: (code, window) => reading(code, (timeline) => archiveStatus(timeline, placeOf(code), window)),
    marks: (code, window, most) => reading(code, (timeline) => archiveMarks(timeline, window, most)),
    summary: (code) => reading(code, (timeline) => archiveSummary(timeline, placeOf(code), clock.nowMs())),
    get stats() {
      const { cachedBytes, hits, misses } = segments.stats;
      return { timelineBytes: timelines.stats.cachedBytes, segmentBytes: cachedBytes, segmentHits: hits, segmentMisses: misses };
    },
    close: () => segments.close(),
    [Symbol.asyncDispose]: () => playback.close(),
  };
  return playback;
}

function notFound(code: StreamCode): LivetapeError {
  return new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
}
