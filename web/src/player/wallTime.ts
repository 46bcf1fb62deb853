/**
 * Media time and wall time of what is loaded: each fragment says when its first picture was (EXT-X-PROGRAM-DATE-TIME), and within a fragment both run alike. Pure: fragments
 * are hls.js's, or what looks like them. Media time is seconds, wall time UTC milliseconds.
 */

/** What of a fragment is looked at. */
export interface TimedFragment {
  readonly sn: number | 'initSegment';
  /** Where it lies in media time: an estimate, also when it is loaded, since its sound may begin before its pictures. */
  readonly start: number;
  /** From where its sound begins to where the next one's does, once it is loaded: up to some tenths of a second off. */
  readonly duration: number;
  readonly programDateTime: number | null;
  /** Its tags as they were read: `['INF', '4.000000']` is how long its pictures last. */
  readonly tagList: readonly (readonly string[])[];
}

/** Where the first picture of a fragment lies, by its number, of those that were looked into. hls.js itself forgets it when it clears its buffers. */
export type Origins = ReadonlyMap<number | 'initSegment', number>;

/** A seek goes so far behind the beginning of a frame: a moment is told to the millisecond, and is to show the frame it was told of. Seconds. */
const SLACK_SEC = 0.001;

const originOf = (fragment: TimedFragment, origins: Origins): number => origins.get(fragment.sn) ?? fragment.start;

function lengthMs({ tagList, duration }: TimedFragment): number {
  const told = Number(tagList.find(([name]) => name === 'INF')?.[1]);
  return 1000 * (told > 0 ? told : duration);
}

/** The index of the first for which `is` holds; it does for all that follow. `length` when for none. */
function firstIndex(length: number, is: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** When a frame was; undefined where nothing says. */
export function wallAt(fragments: readonly TimedFragment[], origins: Origins, sec: number): number | undefined {
  const after = firstIndex(fragments.length, (i) => originOf(fragments[i] as TimedFragment, origins) > sec + SLACK_SEC);
  const fragment = fragments[Math.max(0, after - 1)];
  if (!fragment || fragment.programDateTime === null) return undefined;
  return fragment.programDateTime + Math.max(0, sec - originOf(fragment, origins)) * 1000;
}

/** When the last frame ends. */
export function endWall(fragments: readonly TimedFragment[]): number | undefined {
  const last = fragments.at(-1);
  return last && last.programDateTime !== null ? last.programDateTime + lengthMs(last) : undefined;
}

/**
 * Where a moment lies in media time; within a gap where the first frame after it does. `before`: it is earlier than all that is loaded; `after`: later.
 */
export function secAt(fragments: readonly TimedFragment[], origins: Origins, ms: number): number | 'before' | 'after' {
  const index = firstIndex(fragments.length, (i) => {
    const fragment = fragments[i] as TimedFragment;
    return (fragment.programDateTime ?? Infinity) + lengthMs(fragment) > ms;
  });
  const fragment = fragments[index];
  if (!fragment || fragment.programDateTime === null) return 'after';
  const into = ms - fragment.programDateTime;
  if (into < 0 && index === 0) return 'before';
  return originOf(fragment, origins) + Math.max(0, into) / 1000 + SLACK_SEC;
}
