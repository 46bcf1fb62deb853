/** The ticks of the axis and what they say (docs/design/page.md, G6): steps that suit the zoom, on round times of the zone, also where its clock is changed. Pure. */
import { clockText, minuteText, shortDayText, type Zone } from '../time/format';
import type { Scale } from './scale';

const SEC = 1000;
const MIN = 60 * SEC;
const HOUR = 60 * MIN;
const DAY = 24 * HOUR;

/** Each is a whole number of times one of those before it. */
const STEPS: readonly number[] = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SEC),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MIN),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
];

/** Pixels between two labels, and between two ticks, at least. */
const LABEL_PX = 78;
const TICK_PX = 7;

/** By so much clocks are set, and zones differ: times that are round in a zone are multiples of it or of less. */
const GRID_MS = 15 * MIN;

/** A tick with a label. */
export interface Tick {
  readonly ms: number;
  readonly label: string;
  /** A day begins: the label is its date. */
  readonly isDay: boolean;
}

/** What is drawn on the axis. */
export interface Ticks {
  readonly stepMs: number;
  readonly labelled: readonly Tick[];
  /** Without labels, between them. UTC milliseconds. */
  readonly minor: readonly number[];
}

/** What the zone's clock is ahead of UTC; milliseconds. */
const offsetAt = (ms: number, zone: Zone): number => (zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset() * MIN);

/** The ticks of a view. */
export function ticksOf(scale: Scale, zone: Zone): Ticks {
  const stepMs = stepOf(scale, LABEL_PX);
  const minorMs = STEPS.find((step) => step / scale.perPixel >= TICK_PX && stepMs % step === 0) ?? stepMs;
  const labelled = timesOf(scale, stepMs, zone).map((ms) => tick(ms, stepMs, zone));
  const told = new Set(labelled.map(({ ms }) => ms));
  return { stepMs, labelled, minor: minorMs === stepMs ? [] : timesOf(scale, minorMs, zone).filter((ms) => !told.has(ms)) };
}

/** The step of the labels at this zoom; milliseconds. */
export const stepOf = ({ perPixel }: Scale, leastPx = LABEL_PX): number =>
  STEPS.find((step) => step / perPixel >= leastPx) ?? (STEPS.at(-1) as number);

function tick(ms: number, stepMs: number, zone: Zone): Tick {
  const local = ms + offsetAt(ms, zone);
  // A clock that is set forward at midnight has no midnight: that day begins at one.
  const isDay = stepMs >= DAY || local % DAY === 0;
  return { ms, isDay, label: isDay ? shortDayText(ms, zone) : stepMs < MIN ? clockText(ms, zone) : minuteText(ms, zone) };
}

function timesOf({ view, perPixel }: Scale, stepMs: number, zone: Zone): number[] {
  // Labels reach into the view from a little before it.
  const [fromMs, toMs] = [view.fromMs - LABEL_PX * perPixel, view.toMs];
  if (stepMs >= DAY) return daysOf(fromMs, toMs, stepMs / DAY, zone);
  const gridMs = Math.min(stepMs, GRID_MS);
  const times: number[] = [];
  for (let ms = Math.ceil(fromMs / gridMs) * gridMs; ms <= toMs; ms += gridMs) {
    if ((ms + offsetAt(ms, zone)) % stepMs === 0) times.push(ms);
  }
  return times;
}

function daysOf(fromMs: number, toMs: number, every: number, zone: Zone): number[] {
  const days: number[] = [];
  const first = Math.floor((fromMs + offsetAt(fromMs, zone)) / DAY);
  const last = Math.floor((toMs + offsetAt(toMs, zone)) / DAY);
  for (let day = first; day <= last; day++) {
    // The first of January 1970 was a Thursday: weeks begin on Monday.
    if ((day + (every >= 7 ? 3 : 0)) % every !== 0) continue;
    const utc = new Date(day * DAY);
    const ms = zone === 'utc' ? day * DAY : new Date(utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate()).getTime();
    if (ms >= fromMs && ms <= toMs) days.push(ms);
  }
  return days;
}
