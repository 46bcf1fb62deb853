/**
 * Finds segments that lie under the wrong number when no entry knows them (two were swapped, one was renamed, and the playlist is lost): by their
 * time stamps they go on where another one ends.
 */
import { ptsDelta, TICKS_PER_SECOND } from '../model/index.js';
import type { Probe } from './probe.js';

/** So many are looked for; where more do not fit, the numbers are not what is wrong. */
const MAX_MISFITS = 64;
/** One goes on where another ends, when not more than this is between. */
const NEAR_90K = TICKS_PER_SECOND / 2;

/** A file without an entry. */
export interface Numbered {
  readonly number: number;
  readonly probe: Probe;
}

/** Which number each file should have instead of its own: files that fit neither of their neighbours, and exactly one place elsewhere. */
export function misplaced(files: readonly Numbered[], isFree: (number: number) => boolean): Map<number, number> {
  const byNumber = new Map(files.map((file) => [file.number, file]));
  const follows = (before: Numbered | undefined, after: Numbered | undefined): boolean => {
    const [end, first] = [before?.probe.pts?.end90k, after?.probe.pts?.first90k];
    return end !== undefined && first !== undefined && Math.abs(ptsDelta(end, first)) <= NEAR_90K;
  };
  const before = (file: Numbered): Numbered | undefined => byNumber.get(file.number - 1);
  const after = (file: Numbered): Numbered | undefined => byNumber.get(file.number + 1);
  const misfits = files.filter((file) => file.probe.pts !== undefined && !follows(before(file), file) && !follows(file, after(file)));
  const wanted = new Map<number, number>();
  if (misfits.length > MAX_MISFITS) return wanted;
  const isMisfit = new Set(misfits);
  for (const file of misfits) {
    const places = files
      .filter((other) => !isMisfit.has(other) && follows(other, file))
      .map((other) => other.number + 1)
      .filter((number) => {
        const there = byNumber.get(number);
        const next = byNumber.get(number + 1);
        const fits = next === undefined || isMisfit.has(next) || follows(file, next);
        return number !== file.number && fits && (there === undefined ? isFree(number) : isMisfit.has(there));
      });
    const [place, ...more] = places;
    if (place !== undefined && more.length === 0) wanted.set(file.number, place);
  }
  return settled(wanted, new Set(byNumber.keys()));
}

/** Only moves whose target is free or becomes free, each target once. */
function settled(wanted: Map<number, number>, taken: ReadonlySet<number>): Map<number, number> {
  for (let changed = true; changed;) {
    changed = false;
    const targets = new Set<number>();
    for (const [from, to] of wanted) {
      if (!targets.has(to) && (!taken.has(to) || wanted.has(to))) targets.add(to);
      else changed = wanted.delete(from);
    }
  }
  return wanted;
}
