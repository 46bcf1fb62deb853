/** What a signed token tells of its window: the timeline's facts out of recording_status.json, which is all that it opens beside media (docs/design/door.md, D8). */
import { getJson, withToken, type Gap, type TimelineAnswer } from '../../api';
import type { LoadTimeline } from '../../timeline/contract';

/** What a link opens; UTC milliseconds. */
export interface SignedWindow {
  readonly code: string;
  readonly token: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** `recording_status.json`, as docs/reference/http.md has it. */
export interface RecordingStatus {
  readonly data: {
    readonly stream_code: string;
    readonly dvr_range: { readonly started_at: string; readonly last_segment_at: string };
    readonly gaps: readonly Gap[];
  };
  readonly ranges: readonly { readonly from: string; readonly to: string }[];
}

const text = (ms: number): string => new Date(ms).toISOString();

/** The status as the timeline's facts of a stretch; errors are not told. */
export function factsOf({ data, ranges }: RecordingStatus, window: SignedWindow, fromMs: number, toMs: number): TimelineAnswer {
  // What lies outside is nobody's here, so there is nothing: neither media nor gap.
  const oldestMs = Math.max(window.fromMs, Date.parse(data.dvr_range.started_at));
  const newestMs = Math.min(window.toMs, Date.parse(data.dvr_range.last_segment_at));
  return {
    stream_code: data.stream_code,
    from: text(fromMs),
    to: text(toMs),
    oldest: text(oldestMs),
    newest: text(Math.max(oldestMs, newestMs)),
    spans: ranges,
    gaps: data.gaps.map(({ from, to, reason }) => ({ from, to, reason, count: 1 })),
    errors: [],
  };
}

/** Asks for the status of the whole window. @throws ApiError */
export async function loadStatus({ code, token, fromMs, toMs }: SignedWindow, signal: AbortSignal): Promise<RecordingStatus> {
  const asked = `from=${text(fromMs)}&to=${text(toMs)}`;
  return getJson(withToken(token, `/${code}/recording_status.json?${asked}`), signal);
}

/** The facts for the timeline, whatever it shows: always of the whole window, which is all that may be asked for. */
export const signedTimeline =
  (window: SignedWindow): LoadTimeline =>
  async (fromMs, toMs, _points, signal) =>
    factsOf(await loadStatus(window, signal), window, fromMs, toMs);
