/** A gap: a span of wall time with no media, and why. */

/** Why there is no media. */
export const GAP_REASONS = ['signal', 'restart', 'disk', 'overflow', 'clock', 'source_switch'] as const;

/**
 * - `signal`: the source was silent or lost packets
 * - `restart`: the recorder was not running, or the recording was stopped
 * - `disk`: what came could not be stored
 * - `overflow`: it came faster than it could be stored, and the buffer's bound was reached
 * - `clock`: the wall clock was moved forward; no media is missing
 * - `source_switch`: the stream was given another source
 */
export type GapReason = (typeof GAP_REASONS)[number];

/** A span of wall time with no media. */
export interface Gap {
  /** Where the last media before it ends; UTC milliseconds. */
  readonly fromMs: number;
  /** Where the first media after it begins (a keyframe); UTC milliseconds. */
  readonly toMs: number;
  readonly reason: GapReason;
}
