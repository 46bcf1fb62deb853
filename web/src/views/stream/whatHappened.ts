/** What happened to a stream, as a list: gaps, counted errors and events of the server in words, the newest first. Pure: the page's own part is Happened.tsx. */
import type { Gap, ServerEvent, TimelineAnswer } from '../../api';
import { countText, dayText, lengthText, type Zone } from '../../time/format';
import { reasonText } from '../../time/reasons';

/** What may be shown alone. */
export type HappenedKind = 'gap' | 'errors' | 'event';

/** Something that happened. Times are UTC milliseconds. */
export interface HappenedItem {
  /** The same for the same thing, however often it is read. */
  readonly key: string;
  readonly kind: HappenedKind;
  readonly tone: 'ok' | 'waiting' | 'bad' | 'off';
  readonly atMs: number;
  /** When it was over; undefined for a moment, and for what goes on. */
  readonly toMs: number | undefined;
  readonly goesOn: boolean;
  /** `Gap: no signal`. */
  readonly words: string;
  /** More to say; empty where there is nothing. */
  readonly detail: string;
  /** Where to play from to see it. */
  readonly seekMs: number;
}

/** A gap is seen from so long before it. */
const BEFORE_GAP_MS = 3000;
/** So many events are remembered, and gaps that the server was not asked about since they closed; the oldest go. */
export const EVENTS = 500;

/** What a window's answer tells, in no order. */
export function itemsOf({ gaps, errors }: Pick<TimelineAnswer, 'gaps' | 'errors'>): HappenedItem[] {
  const told = gaps.map(({ from, to, reason, count }) => gapItem(Date.parse(from), Date.parse(to), reason, count));
  const counted = errors.map(({ from, to, kinds }): HappenedItem => {
    const [atMs, found] = [Date.parse(from), kindsText(kinds)];
    const base = { key: `errors ${atMs}`, kind: 'errors' as const, atMs, toMs: Date.parse(to), goesOn: false, seekMs: atMs };
    // Where a source begins, what comes before its first keyframe is of no use to anybody: nothing is wrong there.
    const isBeginning = found.length === 1 && (kinds['lost_bytes'] ?? 0) > 0;
    return {
      ...base,
      tone: isBeginning ? 'off' : 'waiting',
      words: isBeginning ? 'Waited for a keyframe' : 'Errors',
      detail: found.join(', '),
    };
  });
  // A time that cannot be read has no place in a list by time.
  return [...told, ...counted].filter(({ atMs, toMs }) => isMoment(atMs) && isMoment(toMs ?? atMs));
}

/** What a Date can tell. */
export const isMoment = (ms: number): boolean => !Number.isNaN(new Date(ms).getTime());

/** A gap; `count` of them told together. */
export function gapItem(atMs: number, toMs: number, reason: string, count = 1): HappenedItem {
  return {
    key: `gap ${atMs}`,
    kind: 'gap',
    tone: 'bad',
    atMs,
    toMs,
    goesOn: false,
    words: count === 1 ? `Gap: ${reasonText(reason)}` : `${countText(count)} gaps`,
    detail: count === 1 ? '' : `the longest: ${reasonText(reason)}; zoom in on the timeline to see each`,
    seekMs: atMs - BEFORE_GAP_MS,
  };
}

/** The gap that goes on now. */
export function openGapItem({ from, reason }: Pick<Gap, 'from' | 'reason'>): HappenedItem {
  const atMs = Date.parse(from);
  return { ...gapItem(atMs, atMs, reason), toMs: undefined, goesOn: true };
}

const KINDS: Readonly<Record<string, readonly [one: string, more: string]>> = {
  continuity: ['break in continuity', 'breaks in continuity'],
  transport_error: ['packet marked as damaged', 'packets marked as damaged'],
  sync_bytes: ['byte skipped', 'bytes skipped'],
  scrambled: ['scrambled packet', 'scrambled packets'],
  lost_bytes: ['byte left out before a keyframe', 'bytes left out before a keyframe'],
};

/** `12 breaks in continuity`, `1 scrambled packet`: one for each kind that was counted. */
export function kindsText(kinds: Readonly<Record<string, number>>): string[] {
  return Object.entries(kinds)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${countText(count)} ${KINDS[kind]?.[count === 1 ? 0 : 1] ?? kind}`);
}

/** An event in words; undefined for those that are not listed: segments, what was pruned, gaps (which are told as such). */
export function eventItem(event: ServerEvent): HappenedItem | undefined {
  const told = eventWords(event);
  if (told === undefined) return undefined;
  const atMs = Date.parse(event.at);
  const [tone, words, detail] = told;
  return { key: `${event.type} ${atMs}`, kind: 'event', tone, atMs, toMs: undefined, goesOn: false, words, detail, seekMs: atMs };
}

function eventWords(event: ServerEvent): readonly [HappenedItem['tone'], words: string, detail: string] | undefined {
  const why = typeof event.error === 'string' ? event.error : (event.error?.message ?? '');
  switch (event.type) {
    case 'recording.started':
      return ['ok', 'Recording started', ''];
    case 'recording.stopped':
      return ['off', 'Recording stopped', ''];
    case 'recording.failed':
      return ['bad', 'Recording failed', why];
    case 'archive.healed':
      return ['waiting', 'The archive was put in order', (event.healed ?? []).map(({ found, done }) => `${found}: ${done}`).join('; ')];
    case 'source.ended':
      return ['waiting', 'The source ended', why === '' ? (event.reason ?? '') : why];
    default:
      return undefined;
  }
}

/** Events with a new one in front. What is told again and again (a recording that fails, and is tried again) stays one, of which the first and last time are told. */
export function withEvent(events: readonly HappenedItem[], item: HappenedItem): readonly HappenedItem[] {
  const [last, ...rest] = events;
  if (last?.words === item.words && last.detail === item.detail) return [{ ...last, toMs: item.atMs, seekMs: item.seekMs }, ...rest];
  return [item, ...events].slice(0, EVENTS);
}

/** All of it once, the newest first. */
export function newestFirst(...lists: readonly (readonly HappenedItem[])[]): HappenedItem[] {
  const byKey = new Map<string, HappenedItem>();
  for (const list of lists) for (const item of list) byKey.set(item.key, item);
  return [...byKey.values()].sort((a, b) => b.atMs - a.atMs);
}

/** The key of what is nearest to a moment: what it lies in, else what begins or ends nearest. */
export function nearestKey(items: readonly HappenedItem[], ms: number): string | undefined {
  let [nearest, distance]: [HappenedItem | undefined, number] = [undefined, Infinity];
  for (const item of items) {
    const away = Math.max(item.atMs - ms, ms - (item.goesOn ? Infinity : (item.toMs ?? item.atMs)), 0);
    if (away < distance) [nearest, distance] = [item, away];
  }
  return nearest?.key;
}

/** Items of one day. */
export interface HappenedDay {
  readonly day: string;
  readonly items: readonly HappenedItem[];
}

/** Items, newest first, by the days that they began on. */
export function byDay(items: readonly HappenedItem[], zone: Zone): HappenedDay[] {
  const days: { day: string; items: HappenedItem[] }[] = [];
  for (const item of items) {
    const day = dayText(item.atMs, zone);
    const last = days.at(-1);
    if (last?.day === day) last.items.push(item);
    else days.push({ day, items: [item] });
  }
  return days;
}

/** How long it lasted: `12 s`; what is not over is told with `nowMs`. Empty for a moment. */
export function itemLength({ atMs, toMs, goesOn }: HappenedItem, nowMs: number): string {
  if (goesOn) return `${lengthText(nowMs - atMs)} so far`;
  return toMs === undefined ? '' : lengthText(toMs - atMs);
}
