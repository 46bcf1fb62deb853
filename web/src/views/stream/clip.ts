/** What a clip is made of, without the page: its marks in their order, its length, what lies in it, its name and its file's (docs/design/page.md, G9). */
import type { TimelineAnswer } from '../../api';
import type { Zone } from '../../time/format';
import type { Marks } from '../../timeline/contract';

/** A window that can be taken out; UTC milliseconds. */
export interface Clip {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Which mark. */
export type MarkName = 'in' | 'out';

/** Marks with one of them set; those that come to lie the wrong way round change places. */
export function withMark(marks: Marks, name: MarkName, ms: number): Marks {
  const [at, others] = [Math.round(ms), inOrder(marks)];
  return inOrder(name === 'in' ? { ...others, inMs: at } : { ...others, outMs: at });
}

/** Marks the right way round: what was dragged past the other is the other now. */
export function inOrder(marks: Marks): Marks {
  const { inMs, outMs } = marks;
  return inMs !== undefined && outMs !== undefined && inMs > outMs ? { inMs: outMs, outMs: inMs } : marks;
}

/** The window between the marks; undefined while one is missing, or where both are at the same moment. */
export function clipOf(marks: Marks): Clip | undefined {
  const { inMs, outMs } = inOrder(marks);
  return inMs === undefined || outMs === undefined || inMs >= outMs ? undefined : { fromMs: inMs, toMs: outMs };
}

/** What has no media in a clip. */
export interface ClipGaps {
  readonly count: number;
  /** What of the clip lies in gaps; milliseconds. */
  readonly lostMs: number;
}

/** The gaps of an answer that reach into a clip. Those that are told together count as many as they are; the media between them counts as lost, so no more is promised than there is. */
export function gapsWithin({ gaps }: Pick<TimelineAnswer, 'gaps'>, { fromMs, toMs }: Clip): ClipGaps {
  let [count, lostMs] = [0, 0];
  for (const gap of gaps) {
    const reachMs = Math.min(Date.parse(gap.to), toMs) - Math.max(Date.parse(gap.from), fromMs);
    if (reachMs > 0) [count, lostMs] = [count + gap.count, lostMs + reachMs];
  }
  return { count, lostMs };
}

/** The name of a keep that nobody has named yet: `clip-20261122-031207`, in UTC. */
export const suggestedName = ({ fromMs }: Clip): string =>
  `clip-${new Date(fromMs).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;

/** What is wrong with a name of a keep; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'It needs a name.';
  if (name.length > 64) return 'At most 64 characters.';
  return /^[A-Za-z0-9_-]+$/.test(name) ? undefined : 'Letters (a to z), digits, _ and - only.';
}

/** For how long a signed link opens anything; seconds. */
export const EXPIRIES = [
  { words: '1 hour', sec: 3600 },
  { words: '1 day', sec: 86_400 },
  { words: '7 days', sec: 604_800 },
] as const;

/** A moment as a field shows it, which parseMoment reads back to a tenth: `2026-11-22 03:12:07.3`. */
export function fieldText(ms: number, zone: Zone): string {
  const shown = zone === 'utc' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shown).toISOString().slice(0, 21).replace('T', ' ');
}
