/**
 * What a player is to the rest of the page: it is told moments of wall time, and tells which it shows. Implemented over hls.js (docs/design/page.md, G7). All times are
 * UTC milliseconds; `Signal`s are written by the player alone.
 */
import type { ReadonlySignal } from '@preact/signals';

/** Why nothing is shown. */
export interface PlayerProblem {
  /** The server's code, or `CODEC_UNSUPPORTED`, `MEDIA_FAILED`, `UNREACHABLE` of the page's own. */
  readonly code: string;
  /** What to tell whoever watches. */
  readonly message: string;
}

/** Plays one stream. */
export interface Player {
  /** When the frame that is shown was, or what was asked for while it is not there yet; undefined before there is one. Told at least four times a second while it plays. */
  readonly positionMs: ReadonlySignal<number | undefined>;
  /** It plays at the live edge and follows it. */
  readonly isLive: ReadonlySignal<boolean>;
  readonly isPaused: ReadonlySignal<boolean>;
  /** The picture that was asked for is not there yet. */
  readonly isWaiting: ReadonlySignal<boolean>;
  readonly rate: ReadonlySignal<number>;
  readonly volume: ReadonlySignal<number>;
  readonly isMuted: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<PlayerProblem | undefined>;
  /** Shows the frame that was on at a moment; within a gap the first after it. Stays paused where it was. */
  seek(ms: number): void;
  /** To the live edge, and playing. */
  goLive(): void;
  togglePlay(): void;
  /** 0.25 to 8; at the live edge 1 is the most. */
  setRate(rate: number): void;
  setVolume(volume: number): void;
  setMuted(isMuted: boolean): void;
  /** One frame on (1) or back (-1), paused. */
  step(frames: 1 | -1): void;
  close(): void;
}
