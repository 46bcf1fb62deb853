/** The events of a recording as `livetape record --json` prints them: one object a line, names as in index.json. */
import type { CommittedSegment } from '../archive/index.js';
import { ticksToMs } from '../model/index.js';
import type { DvrEventName, DvrEvents, DvrService } from '../recorder/index.js';
import { gapJson } from './output.js';

const time = (atMs: number): string => new Date(atMs).toISOString();

/** What each event says beside its name, the time and the stream. */
const RENDER: { readonly [N in DvrEventName]: (event: DvrEvents[N]) => Record<string, unknown> } = {
  'recording.started': ({ recording }) => ({ stream_code: recording.streamCode, segment_dir: recording.segmentDir }),
  'recording.stopped': ({ recording }) => ({ stream_code: recording.streamCode, segment_dir: recording.segmentDir }),
  'recording.failed': ({ recording, error }) => ({
    stream_code: recording.streamCode,
    error: { code: error.code, message: error.message },
  }),
  'archive.healed': ({ streamCode, healed }) => ({
    stream_code: streamCode,
    healed: healed.map(({ keptAs, sizeBytes, ...rest }) => ({ ...rest, kept_as: keptAs, size: sizeBytes })),
  }),
  'segment.written': ({ streamCode, segment }) => ({ stream_code: streamCode, segment: segmentJson(segment) }),
  'segment.pruned': ({ streamCode, count, sizeBytes }) => ({ stream_code: streamCode, count, size: sizeBytes }),
  'gap.opened': ({ streamCode, fromMs, reason }) => ({ stream_code: streamCode, from: time(fromMs), reason }),
  'gap.closed': ({ streamCode, gap }) => ({ stream_code: streamCode, gap: gap ? gapJson(gap) : null }),
  'source.ended': ({ streamCode, reason, error }) => ({ stream_code: streamCode, reason, ...(error && { error: error.message }) }),
};

/** Calls `print` with each event's line, without a newline. */
export function printEvents(dvr: DvrService, nowMs: () => number, print: (line: string) => void): void {
  const listen = <N extends DvrEventName>(name: N): void => {
    const render: (event: DvrEvents[N]) => Record<string, unknown> = RENDER[name];
    dvr.on(name, (event) => print(JSON.stringify({ event: name, time: time(nowMs()), ...render(event) })));
  };
  for (const name of Object.keys(RENDER) as DvrEventName[]) listen(name);
}

function segmentJson(segment: CommittedSegment): Record<string, unknown> {
  return {
    index: segment.index,
    uri: segment.uri,
    started_at: time(Math.floor(segment.wallMs)),
    duration_sec: ticksToMs(segment.duration90k) / 1000,
    size: segment.sizeBytes,
    discontinuity: segment.discontinuity,
    forced: segment.forced,
    keyframes: segment.keyframes.length,
    ...(segment.gap && { gap: gapJson(segment.gap) }),
  };
}
