/** Words of the timeline that the rest of the page shares (docs/design/page.md, G6). All times are UTC milliseconds. */
import type { TimelineAnswer } from '../api';

/** What is shown of time. */
export interface View {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The marks of a clip. */
export interface Marks {
  readonly inMs?: number | undefined;
  readonly outMs?: number | undefined;
}

/** Where the timeline's facts come from; the page's own asks the server, a signed window's is made of recording_status.json. */
export type LoadTimeline = (fromMs: number, toMs: number, points: number, signal: AbortSignal) => Promise<TimelineAnswer>;

/** Shows so much at least, and at most; milliseconds. */
export const MIN_VIEW_MS = 10_000;
export const MAX_VIEW_MS = 30 * 86_400_000;
