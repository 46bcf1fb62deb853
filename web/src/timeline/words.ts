/** What the timeline says in words: of the moment that is played, to who does not see it, and of the moment that is pointed at (docs/design/page.md, G6). Pure. */
import { clockText, countText, lengthText, momentText, type Zone } from '../time/format';
import { reasonText } from '../time/reasons';
import { gapAt, type ErrorFact, type GapFact } from './facts';
import { hitJoined, toMs } from './scale';
import type { Scene } from './scene';

/** Pixels by which a thin gap or mark may be missed. */
const SLACK_PX = 4;

const KINDS: Readonly<Record<string, string>> = {
  continuity: 'continuity',
  transport_error: 'marked as damaged',
  sync_bytes: 'bytes skipped',
  scrambled: 'scrambled',
  lost_bytes: 'bytes lost',
};

/** `gap: no signal, 2 min 5 s`; `12 gaps, 3 min 2 s from the first to the last`. */
export function gapText(gap: GapFact): string {
  const length = lengthText(gap.toMs - gap.fromMs);
  if (gap.count > 1) return `${countText(gap.count)} gaps within ${length}, the longest: ${reasonText(gap.reason)}`;
  return `gap: ${reasonText(gap.reason)}, ${gap.isOpen ? `${length} so far` : length}`;
}

/** `Errors: 12 continuity, 3 scrambled`. */
export function errorsText(errors: readonly ErrorFact[]): string {
  const sums = new Map<string, number>();
  for (const { kinds } of errors) for (const [kind, count] of Object.entries(kinds)) sums.set(kind, (sums.get(kind) ?? 0) + count);
  const words = [...sums].filter(([, count]) => count > 0).map(([kind, count]) => `${countText(count)} ${KINDS[kind] ?? kind}`);
  return `errors: ${words.join(', ')}`;
}

/** What of a scene is at the moment: `Sun 22 Nov 2026, 03:12:07, media`; at the live edge `live, …`. */
export function valueText(scene: Pick<Scene, 'gaps' | 'oldestMs' | 'endMs'>, ms: number | undefined, isLive: boolean, zone: Zone): string {
  if (ms === undefined) return 'nothing is played yet';
  const gap = gapAt(scene.gaps, ms);
  const isThere = scene.oldestMs !== undefined && ms >= scene.oldestMs && ms <= (scene.endMs ?? -Infinity);
  const what = isLive ? 'live' : gap ? gapText(gap) : isThere ? 'media' : 'nothing recorded';
  return `${momentText(ms, zone)}, ${what}`;
}

/** What is told of a pixel that is pointed at. */
export interface Told {
  readonly ms: number;
  /** `Sun 22 Nov 2026, 03:12:07`. */
  readonly moment: string;
  readonly lines: readonly string[];
}

/** What is told of a pixel. */
export function tellPixel(scene: Scene, x: number, zone: Zone): Told {
  const ms = toMs(scene.scale, x);
  const lines: string[] = [];
  const box = hitJoined(scene.gapBoxes, x, SLACK_PX);
  if (box) lines.push(gapsText(scene.gaps.slice(box.first, box.last + 1), zone));
  else if (scene.oldestMs === undefined || scene.endMs === undefined) lines.push('nothing is recorded yet');
  else if (ms < scene.oldestMs) lines.push('before the oldest there is');
  else if (ms > scene.endMs) lines.push('to come');
  const errors = hitJoined(scene.errorBoxes, x, SLACK_PX);
  if (errors) lines.push(errorsText(scene.errors.slice(errors.first, errors.last + 1)));
  for (const { x0, x1, name } of scene.keeps) if (x >= x0 - SLACK_PX && x <= x1 + SLACK_PX) lines.push(`kept as ${name}`);
  return { ms, moment: momentText(ms, zone), lines };
}

function gapsText(gaps: readonly GapFact[], zone: Zone): string {
  const [first] = gaps;
  if (first === undefined) return '';
  if (gaps.length === 1) return `${gapText(first)}, from ${clockText(first.fromMs, zone)}`;
  const longest = gaps.reduce((a, b) => (b.toMs - b.fromMs > a.toMs - a.fromMs ? b : a));
  const count = gaps.reduce((sum, gap) => sum + gap.count, 0);
  return `${countText(count)} gaps, the longest ${lengthText(longest.toMs - longest.fromMs)}: ${reasonText(longest.reason)}`;
}
