/** Timelines of all streams, with one bounded cache between them; streams that nobody asks for are forgotten (P1, P4). */
import { LivetapeError, type Clock } from '../../base/index.js';
import type { StreamCode } from '../../model/index.js';
import type { PlaceOf, Timeline, Timelines } from '../contract.js';
import { BlockCache } from './blockCache.js';
import { FollowedStream, type StreamCaches, type StreamState } from './stream.js';
import { ArchiveTimeline } from './timeline.js';

/** A stream is remembered for so long after it was last asked for. */
const FORGET_AFTER_MS = 10 * 60_000;
/** Part of the memory that what was searched for marks may have. */
const MARKS_PART = 0.25;
/** How often is looked for streams to forget. */
const SWEEP_MS = 60_000;

/** What timelines are made of. */
export interface TimelinesOptions {
  readonly place: PlaceOf;
  readonly clock: Clock;
  /** Bytes that parsed entries and joined text may take. */
  readonly maxCacheBytes: number;
}

interface Followed {
  readonly stream: FollowedStream;
  /** That of the newest state: one journal, one timeline. */
  latest: { readonly state: StreamState; readonly timeline: Timeline } | undefined;
}

/** Timelines of the streams that `place` knows. Nothing is open, so nothing is to be closed. */
export function openTimelines({ place, clock, maxCacheBytes }: TimelinesOptions): Timelines {
  const blocks: StreamCaches['blocks'] = new BlockCache(maxCacheBytes * (1 - MARKS_PART));
  const marks: StreamCaches['marks'] = new BlockCache(maxCacheBytes * MARKS_PART);
  const streams = new Map<StreamCode, Followed>();
  let sweptMs = clock.monotonicMs();

  function forget(code: StreamCode): void {
    streams.get(code)?.stream.forget();
    streams.delete(code);
  }

  function sweep(): void {
    const nowMs = clock.monotonicMs();
    if (nowMs - sweptMs < SWEEP_MS) return;
    sweptMs = nowMs;
    for (const [code, { stream }] of streams) if (nowMs - stream.askedAtMs >= FORGET_AFTER_MS) forget(code);
  }

  return {
    async timeline(code) {
      sweep();
      const storage = place(code);
      if (storage === undefined) {
        forget(code);
        throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { streamCode: code } });
      }
      let followed = streams.get(code);
      if (followed === undefined)
        streams.set(code, (followed = { stream: new FollowedStream(storage, clock, { blocks, marks }), latest: undefined }));
      followed.stream.storage = storage;
      const state = await followed.stream.state();
      if (followed.latest?.state !== state) followed.latest = { state, timeline: new ArchiveTimeline(followed.stream, state) };
      return followed.latest.timeline;
    },
    get stats() {
      sweep();
      return { cachedBytes: blocks.bytes + marks.bytes, streams: streams.size };
    },
  };
}
