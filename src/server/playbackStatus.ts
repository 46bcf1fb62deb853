/** recording_status.json: what the archive of a stream holds, as the Go system before us told it and as Flussonic tells it. */
import type { ArchiveStatus, StreamRequest } from '../playback/index.js';
import { cacheControl, CHANGES } from './caching.js';
import type { PlaybackExchange } from './playbackRequest.js';

const time = (ms: number): string => new Date(ms).toISOString();
/** Spans as Flussonic's players read them: whole seconds that lie within the span. */
const flussonicRanges = (ranges: ArchiveStatus['ranges']): { from: number; duration: number }[] =>
  ranges.map(({ fromMs, toMs }) => {
    const from = Math.ceil(fromMs / 1000);
    return { from, duration: Math.max(0, Math.floor(toMs / 1000) - from) };
  });

/** Answers with the status, of a window where one is asked for. */
export async function sendStatus(exchange: PlaybackExchange, asked: Extract<StreamRequest, { kind: 'status' }>): Promise<void> {
  const { context, code, reply } = exchange;
  const { fromMs, toMs } = asked;
  const window = fromMs === undefined && toMs === undefined ? undefined : { fromMs: fromMs ?? 0, toMs: toMs ?? context.clock.nowMs() };
  const status = await context.playback.status(code, window);
  void reply.headers({ 'cache-control': cacheControl(CHANGES, exchange.isPrivate), 'content-type': 'application/json; charset=utf-8' });
  await reply.send(JSON.stringify(asked.ranges ? [{ stream: code, ranges: flussonicRanges(status.ranges) }] : statusBody(code, status)));
}

function statusBody(code: string, status: ArchiveStatus): object {
  return {
    data: {
      stream_code: code,
      status: status.status,
      dvr_range: { started_at: time(status.startedAtMs), last_segment_at: time(status.lastSegmentAtMs) },
      gaps: status.gaps.map(({ fromMs, toMs, reason }) => ({
        from: time(fromMs),
        to: time(toMs),
        // nanoseconds, as in index.json
        duration: Math.round((toMs - fromMs) * 1e6),
        reason,
      })),
      segment_count: status.segmentCount,
      total_size_bytes: status.totalSizeBytes,
    },
    ranges: status.ranges.map(({ fromMs, toMs }) => ({ from: time(fromMs), to: time(toMs) })),
  };
}
