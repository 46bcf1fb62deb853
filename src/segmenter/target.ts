/**
 * EXT-X-TARGETDURATION: chosen from the keyframes that are seen, kept for a life, and given up when the source
 * no longer fits it. docs/design/data-format.md, F12 to F14.
 */
import { TICKS_PER_SECOND } from '../model/index.js';

/** A life's first segment may get this long before it is cut by force: x264's default is a keyframe in 250 frames, 10.4 s of film. */
const FIRST_LIMIT_SEC = 13;
/** No target is longer; keyframes further apart than this are cut between. */
const LONGEST_TARGET_SEC = 60;
/** A life is given up when this many … */
const MISFITS = 3;
/** … of this many segments had to be cut by force although keyframes came. */
const LOOK_BACK = 6;

/**
 * F13: the target for keyframes at most `longest90k` apart.
 * @param longest90k - undefined where no two keyframes were seen
 */
export function chooseTargetSec(longest90k: number | undefined, segmentDuration90k: number): number {
  const longest = longest90k ?? segmentDuration90k;
  const needed = longest > segmentDuration90k ? longest : segmentDuration90k + longest;
  return Math.min(LONGEST_TARGET_SEC, Math.max(1, Math.ceil(needed / TICKS_PER_SECOND)));
}

/** The target duration of the life that is being recorded. */
export class TargetDuration {
  #targetSec: number | undefined;
  readonly #segmentDuration90k: number;
  #longest: number | undefined;
  #lastKeyframe: number | undefined;
  #cuts: boolean[] = [];

  /** @param targetSec - that of the life which is resumed; undefined when one begins */
  constructor(segmentDuration90k: number, targetSec: number | undefined) {
    this.#segmentDuration90k = segmentDuration90k;
    this.#targetSec = targetSec;
  }

  /** A segment is cut, keyframe or not, before it gets as long as this: half a second more would round above the target. */
  get limit90k(): number {
    const sec =
      this.#targetSec ?? Math.min(LONGEST_TARGET_SEC, Math.max(FIRST_LIMIT_SEC, (3 * this.#segmentDuration90k) / TICKS_PER_SECOND));
    return (sec + 0.5) * TICKS_PER_SECOND;
  }

  /** How long a keyframe is waited for at the start of a run: one target duration. */
  get wait90k(): number {
    return (this.#targetSec ?? chooseTargetSec(undefined, this.#segmentDuration90k)) * TICKS_PER_SECOND;
  }

  /** A random access point at `pts90k`, unwrapped. */
  keyframe(pts90k: number): void {
    if (this.#lastKeyframe !== undefined) this.#longest = Math.max(this.#longest ?? 0, pts90k - this.#lastKeyframe);
    this.#lastKeyframe = pts90k;
  }

  /** A run begins: intervals do not reach across. */
  beginRun(): void {
    this.#lastKeyframe = undefined;
  }

  /** A segment of `duration90k` ended. Returns the target when this was what it was waiting for. */
  segmentEnded(duration90k: number, byForce: boolean): number | undefined {
    this.#cuts.push(byForce);
    if (this.#cuts.length > LOOK_BACK) this.#cuts.shift();
    if (this.#targetSec !== undefined) return undefined;
    const needed = chooseTargetSec(this.#longest, this.#segmentDuration90k);
    this.#targetSec = Math.max(needed, Math.round(duration90k / TICKS_PER_SECOND));
    return this.#targetSec;
  }

  /** At a keyframe: the target of the life that has to begin here because the present one does not fit; else undefined. */
  misfit(): number | undefined {
    if (this.#targetSec === undefined || this.#longest === undefined) return undefined;
    if (this.#cuts.filter((byForce) => byForce).length < MISFITS) return undefined;
    const fit = chooseTargetSec(this.#longest, this.#segmentDuration90k);
    this.#cuts = [];
    this.#longest = undefined;
    if (fit <= this.#targetSec) return undefined;
    this.#targetSec = fit;
    return fit;
  }
}
