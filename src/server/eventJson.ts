/** The service's events (recorder/events.ts) as the HTTP interface tells them: JSON, names in snake case. docs/reference/http.md lists them. */
import { isLivetapeError } from '../base/index.js';
import type { DvrEventName, DvrEvents } from '../recorder/index.js';
import { publicMessage, withoutPaths } from './publicText.js';
import { gapAnswer, problemAnswer, recordingAnswer, timeText } from './routes/shapes.js';

/** What an event says, beside the moment at which it was heard. */
export interface EventData {
  readonly stream_code: string;
  readonly [fact: string]: unknown;
}

/** How each is told. One without a line here does not compile. */
export const EVENT_DATA: { readonly [N in DvrEventName]: (event: DvrEvents[N]) => EventData } = {
  'recording.started': ({ recording }) => ({ stream_code: recording.streamCode, recording: recordingAnswer(recording, false) }),
  'recording.stopped': ({ recording }) => ({ stream_code: recording.streamCode, recording: recordingAnswer(recording, false) }),
  'recording.failed': ({ recording, error }) => ({
    stream_code: recording.streamCode,
    recording: recordingAnswer(recording, false),
    error: problemAnswer(error),
  }),
  'archive.healed': ({ streamCode, healed }) => ({
    stream_code: streamCode,
    healed: healed.map(({ found, done, file, keptAs, sizeBytes, count, detail }) => ({
      found,
      done,
      file,
      kept_as: keptAs ?? null,
      size_bytes: sizeBytes ?? null,
      count: count ?? null,
      detail: withoutPaths(detail),
    })),
  }),
  'segment.written': ({ streamCode, segment }) => ({
    stream_code: streamCode,
    segment: {
      index: segment.index,
      uri: segment.uri,
      media_sequence: segment.mediaSequence,
      started_at: timeText(segment.wallMs),
      duration_sec: segment.duration90k / 90_000,
      size_bytes: segment.sizeBytes,
      discontinuity: segment.discontinuity,
      gap: segment.gap === undefined ? null : gapAnswer(segment.gap),
    },
  }),
  'segment.pruned': ({ streamCode, count, sizeBytes }) => ({ stream_code: streamCode, count, size_bytes: sizeBytes }),
  'gap.opened': ({ streamCode, fromMs, reason }) => ({ stream_code: streamCode, from: timeText(fromMs), reason }),
  'gap.closed': ({ streamCode, gap }) => ({ stream_code: streamCode, gap: gap === undefined ? null : gapAnswer(gap) }),
  'source.ended': ({ streamCode, reason, error }) => ({
    stream_code: streamCode,
    reason: withoutPaths(reason),
    error: error === undefined ? null : isLivetapeError(error) ? publicMessage(error) : withoutPaths(error.message),
  }),
};
