/** Where decoding can begin at or before a moment, by what the journal's entries say. */
import { ptsDelta, ticksToMs } from '../../model/index.js';
import type { Timeline, TimelineEntry } from '../contract.js';

/** So many entries are gone back through for one with a keyframe: segments that were cut by force need have none. */
const MAX_BACK = 16;

/** A keyframe of a segment. */
export interface PlacedKeyframe {
  /** Where its access unit's first packet is. */
  readonly offsetBytes: number;
  /** When it is shown; UTC milliseconds. */
  readonly wallMs: number;
}

/** Keyframes that an entry names, oldest first; none in an entry of another system. */
export function keyframesOf(entry: TimelineEntry): PlacedKeyframe[] {
  const { keyframes = [] } = entry;
  const first90k = entry.pts?.first90k ?? keyframes[0]?.pts90k ?? 0;
  return keyframes.map(({ offsetBytes, pts90k }) => ({ offsetBytes, wallMs: entry.wallMs + ticksToMs(ptsDelta(first90k, pts90k)) }));
}

/**
 * The newest keyframe at or before `atMs`, looked for from the entry `sequence` backwards within its run. Where there is none: the entry itself, with its first
 * keyframe if it has any. An entry of another system names none, and is the answer when it is come upon.
 */
export async function keyframeBefore(
  timeline: Timeline,
  sequence: number,
  atMs: number,
): Promise<{ readonly entry: TimelineEntry; readonly keyframe: PlacedKeyframe | undefined }> {
  const asked = await timeline.entry(sequence);
  let entry = asked;
  for (let back = 0; ; back++) {
    const keyframe = keyframesOf(entry).findLast(({ wallMs }) => wallMs <= atMs);
    if (keyframe !== undefined || entry.keyframes === undefined) return { entry, keyframe };
    const before = entry.mediaSequence - 1;
    if (entry.discontinuity || before < timeline.firstSequence || back === MAX_BACK) break;
    entry = await timeline.entry(before);
  }
  return { entry: asked, keyframe: keyframesOf(asked)[0] };
}
