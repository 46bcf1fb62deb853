/**
 * When the entries of a playlist begin where not all of them say so: another system's have a date-time at discontinuities only, and go on from
 * there; what is before the first is known to index.json.
 */
import type { PlaylistEntry } from '../hls/index.js';

/** Follows the entries of a playlist in order. */
export class ImpliedTimes {
  #endMs: number | undefined;

  /** @param startedAtMs - when the first begins, if it does not say so */
  constructor(startedAtMs: number | undefined) {
    this.#endMs = startedAtMs;
  }

  /** Where the entry before ended; UTC milliseconds. */
  get endMs(): number | undefined {
    return this.#endMs;
  }

  /** When the next entry begins; undefined where nothing says it. */
  next(entry: PlaylistEntry): number | undefined {
    const wallMs = entry.wallMs ?? this.#endMs;
    this.#endMs = wallMs === undefined ? undefined : wallMs + entry.durationUs / 1000;
    return wallMs;
  }
}
