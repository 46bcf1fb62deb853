/**
 * Which playlist a moment is played from (docs/design/page.md, G7): live with ten minutes to rewind, or a window of an hour, so that what a request costs does not grow with
 * the archive. Pure. Times are UTC milliseconds.
 */
import { liveUrl, windowUrl, withToken } from '../api/urls';

/** So much of live can be rewound without another playlist; seconds. */
export const REWIND_SEC = 600;
/** How long a window is; seconds. */
export const WINDOW_SEC = 3600;
/** A window begins so much before what was asked for, so that steps back stay in it; and there, so that neighbours share it. */
const LEAD_MS = 60_000;
const STEP_MS = 10_000;
/** Live does not reach to its very end: what is asked for there is gone when it is loaded. */
const MARGIN_MS = 30_000;

/** All that may be played, where a token is for that alone. */
export interface Bounds {
  readonly token: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A playlist. */
export type Place = { readonly kind: 'live' } | { readonly kind: 'window'; readonly fromMs: number; readonly durationSec: number };

/** The playlist for a moment. */
export function placeOf(ms: number, nowMs: number, bounds?: Bounds): Place {
  if (!bounds && ms > nowMs - REWIND_SEC * 1000 + MARGIN_MS) return { kind: 'live' };
  return windowOf(ms, bounds);
}

/** The window for a moment, also for one of the last minutes: live of a stream that was stopped is long ago. */
export function windowOf(ms: number, bounds?: Bounds): Place {
  const fromMs = Math.max(0, Math.floor((ms - LEAD_MS) / STEP_MS) * STEP_MS);
  if (!bounds) return { kind: 'window', fromMs, durationSec: WINDOW_SEC };
  const begin = Math.min(Math.max(fromMs, bounds.fromMs), bounds.toMs - 1000);
  return { kind: 'window', fromMs: begin, durationSec: Math.min(WINDOW_SEC, (bounds.toMs - begin) / 1000) };
}

/** Its address. */
export function placeUrl(code: string, place: Place, bounds?: Bounds): string {
  const url = place.kind === 'live' ? liveUrl(code, REWIND_SEC) : windowUrl(code, place.fromMs, place.durationSec);
  return bounds ? withToken(bounds.token, url) : url;
}
