/**
 * Moments as people type them, "yesterday 03:12", to UTC milliseconds. Pure: now and the zone are given. What leaves something open means the past, since what is asked for was
 * recorded: a time alone is the last such time, a day without a year the last such day.
 *
 * Where clocks are set, one rule: of a time that comes twice the first is meant, unless the zone is named ("02:30 CET"); a time that is left out is as much later as the clock was set forward.
 */
import { zoneName, type Zone } from './format';

interface Day {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** Of a day; milliseconds are part of `sec`. */
interface Clock {
  readonly hour: number;
  readonly min: number;
  readonly sec: number;
}

const MIDNIGHT: Clock = { hour: 0, min: 0, sec: 0 };
const HOUR_MS = 3_600_000;
/** Nobody types more. */
const MAX_LENGTH = 80;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const LONG_MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const UNIT_MS: readonly (readonly [RegExp, number])[] = [
  [/^(s|sec|secs|second|seconds)$/, 1000],
  [/^(m|min|mins|minute|minutes)$/, 60_000],
  [/^(h|hr|hrs|hour|hours)$/, HOUR_MS],
  [/^(d|day|days)$/, 24 * HOUR_MS],
  [/^(w|week|weeks)$/, 7 * 24 * HOUR_MS],
];

/** The moment that is meant; undefined when none is. @param nowMs - UTC milliseconds */
export function parseMoment(text: string, nowMs: number, zone: Zone): number | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const words = text
    .toLowerCase()
    .replaceAll(/,(?!\d)/g, ' ')
    .replaceAll('\u2212', '-')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (words === 'now') return nowMs;
  const found = unixTime(words) ?? ago(words, nowMs) ?? named(words, nowMs, zone);
  // What a Date can tell.
  return found !== undefined && found >= 0 && found <= 8.64e15 ? found : undefined;
}

/** Seconds, or milliseconds where there are as many digits. */
function unixTime(words: string): number | undefined {
  if (/^\d{9,11}(\.\d+)?$/.test(words)) return Math.round(Number(words) * 1000);
  return /^\d{12,14}$/.test(words) ? Number(words) : undefined;
}

/** `5 min ago`, `1 h 30 min ago`, `-90s`. */
function ago(words: string, nowMs: number): number | undefined {
  const said = /^(?:-(?<minus>.+)|(?<ago>.+) ago)$/.exec(words)?.groups;
  const length = said?.['minus'] ?? said?.['ago'];
  if (length === undefined) return undefined;
  let [left, ms] = [length.trim(), 0];
  while (left !== '') {
    const part = /^(?<count>\d+(?:\.\d+)?) ?(?<unit>[a-z]+) ?(?:and )?/.exec(left);
    const unit = UNIT_MS.find(([pattern]) => pattern.test(part?.groups?.['unit'] ?? ''));
    if (!part || !unit) return undefined;
    ms += Number(part.groups?.['count']) * unit[1];
    left = left.slice(part[0].length);
  }
  return Math.round(nowMs - ms);
}

/** A day, a time, or both, with or without a zone. */
function named(words: string, nowMs: number, zone: Zone): number | undefined {
  const offset = /^(?<rest>.*(?:utc|gmt)|.*:\d\d(?:[.,]\d{1,9})?) ?(?<sign>[+-])(?<h>\d{1,2})(?::?(?<m>\d\d))?$/.exec(words)?.groups;
  if (offset) {
    const { rest = '', sign, h, m = '0' } = offset;
    if (Number(m) > 59 || Number(h) > 14) return undefined;
    const shift = (sign === '-' ? -1 : 1) * (Number(h) * 60 + Number(m)) * 60_000;
    const shown = inZone(rest.replace(/(?:utc|gmt)$/, '').trim(), nowMs + shift, 'utc');
    return shown === undefined ? undefined : shown - shift;
  }
  const utc = /^(?<rest>.*[\d ]) ?(?:z|utc|gmt)$/.exec(words)?.groups?.['rest'];
  if (utc !== undefined) return inZone(utc.trim(), nowMs, 'utc');
  const plain = inZone(words, nowMs, zone);
  if (plain !== undefined) return plain;
  // The zone's own name, as format.ts writes it: it tells which one is meant where a time comes twice.
  const last = words.lastIndexOf(' ');
  if (last < 0) return undefined;
  const first = inZone(words.slice(0, last), nowMs, zone);
  const name = words.slice(last + 1);
  if (first === undefined) return undefined;
  return [first, first + HOUR_MS, first + HOUR_MS / 2].find(
    (ms) => zoneName(ms, zone).toLowerCase() === name && sameClock(ms, first, zone),
  );
}

const sameClock = (a: number, b: number, zone: Zone): boolean => {
  const [x, y] = [parts(a, zone), parts(b, zone)];
  return x.hour === y.hour && x.min === y.min && x.day.day === y.day.day;
};

/** A day, a time, or both. */
function inZone(words: string, nowMs: number, zone: Zone): number | undefined {
  const [clock, day] = splitClock(words);
  if (clock === undefined) return undefined;
  const at = (day: Day): number | undefined => momentOf(day, clock === 'none' ? MIDNIGHT : clock, zone);
  const today = parts(nowMs, zone).day;
  if (day === '') return clock === 'none' ? undefined : lastPast([today, shifted(today, -1)], at, nowMs);
  return dayMeant(day, today, at, nowMs);
}

/** The time in some words, and what is left of them. */
function splitClock(words: string): [clock: Clock | 'none' | undefined, rest: string] {
  const found =
    /(?:^| |(?<=\d)t)(?:at )?(?<h>\d{1,2}):(?<m>\d\d)(?::(?<s>\d\d(?:[.,]\d{1,9})?))? ?(?<half>am|pm)?(?= |$)/.exec(words) ??
    /(?:^| )(?:at )?(?<h>\d{1,2}) ?(?<half>am|pm)(?= |$)/.exec(words) ??
    /(?:^| )(?:at )?(?<name>noon|midnight)(?= |$)/.exec(words);
  if (!found) return ['none', words];
  const rest = `${words.slice(0, found.index)} ${words.slice(found.index + found[0].length)}`
    .replaceAll(/(^| )on( |$)/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
  const { h = '0', m = '0', s = '0', half, name } = found.groups ?? {};
  if (name !== undefined) return [{ hour: name === 'noon' ? 12 : 0, min: 0, sec: 0 }, rest];
  let hour = Number(h);
  if (half !== undefined && (hour < 1 || hour > 12)) return [undefined, rest];
  if (half !== undefined) hour = (hour % 12) + (half === 'pm' ? 12 : 0);
  const clock = { hour, min: Number(m), sec: Number(s.replace(',', '.')) };
  return [clock.hour < 24 && clock.min < 60 && clock.sec < 60 ? clock : undefined, rest];
}

/** A time on the day that some words mean. */
function dayMeant(words: string, today: Day, at: (day: Day) => number | undefined, nowMs: number): number | undefined {
  if (words === 'today') return at(today);
  if (words === 'yesterday') return at(shifted(today, -1));
  const ago = /^(?<count>\d{1,5}) ?(?:d|days?) ago$/.exec(words)?.groups?.['count'];
  if (ago !== undefined) return at(shifted(today, -Number(ago)));

  const weekday = /^(?:(?<last>last) )?(?<name>[a-z]{3,9})$/.exec(words)?.groups;
  const index = weekdayIndex(weekday?.['name'] ?? '');
  if (index !== undefined) {
    const back = (weekdayOf(today) - index + 7) % 7;
    const days = weekday?.['last'] !== undefined && back === 0 ? [7] : [back, back + 7];
    return lastPast(
      days.map((count) => shifted(today, -count)),
      at,
      nowMs,
    );
  }

  // The weekday of a date says nothing new, but has to be right.
  const dated = /^(?<name>[a-z]{3,9})\.? (?<rest>.*\d.*)$/.exec(words)?.groups;
  const said = weekdayIndex(dated?.['name'] ?? '');
  const date = dateIn(said === undefined ? words : (dated?.['rest'] ?? ''));
  if (!date) return undefined;
  const years = date.year !== undefined ? [date.year] : Array.from({ length: 9 }, (_, back) => today.year - back);
  const days = years.map((year) => ({ ...date, year })).filter((day) => said === undefined || weekdayOf(day) === said);
  return date.year !== undefined ? days[0] && at(days[0]) : lastPast(days, at, nowMs);
}

/** A date with its year or without: `22 nov 2026`, `nov 22`, `22.11.`, `22/11/2026`, `2026-11-22`. */
function dateIn(words: string): { readonly year: number | undefined; readonly month: number; readonly day: number } | undefined {
  const { y, mo, d, name } =
    (
      /^(?<y>\d{4})-(?<mo>\d\d?)-(?<d>\d\d?)$/.exec(words) ??
      /^(?<d>\d\d?)(?<dot>[./])(?<mo>\d\d?)(?:\k<dot>(?<y>\d{4}|\d\d)?)?$/.exec(words) ??
      /^(?<d>\d\d?)(?:st|nd|rd|th|\.)? (?<name>[a-z]{3,9})\.?(?: (?<y>\d{4}))?$/.exec(words) ??
      /^(?<name>[a-z]{3,9})\.? (?<d>\d\d?)(?:st|nd|rd|th)?(?: (?<y>\d{4}))?$/.exec(words)
    )?.groups ?? {};
  const month = name === undefined ? Number(mo) : monthOf(name);
  if (d === undefined || !(month >= 1 && month <= 12)) return undefined;
  const year = y === undefined ? undefined : y.length === 2 ? 2000 + Number(y) : Number(y);
  return { year, month, day: Number(d) };
}

const monthOf = (name: string): number => 1 + (name === 'sept' ? 8 : Math.max(MONTHS.indexOf(name), LONG_MONTHS.indexOf(name)));

function weekdayIndex(name: string): number | undefined {
  const index = WEEKDAYS.findIndex((day) => day === name || (name.length < 6 && name.length > 2 && day.startsWith(name)));
  return index < 0 ? undefined : index;
}

const weekdayOf = ({ year, month, day }: Day): number => new Date(Date.UTC(year, month - 1, day)).getUTCDay();

function shifted({ year, month, day }: Day, days: number): Day {
  return parts(Date.UTC(year, month - 1, day + days), 'utc').day;
}

/** Of days, the latest first, the first on which it is past. */
function lastPast(days: readonly Day[], at: (day: Day) => number | undefined, nowMs: number): number | undefined {
  for (const day of days) {
    const ms = at(day);
    if (ms !== undefined && ms <= nowMs) return ms;
  }
  return undefined;
}

/** What calendar and clock show at a moment. */
function parts(ms: number, zone: Zone): { readonly day: Day; readonly hour: number; readonly min: number } {
  const date = new Date(ms);
  return zone === 'utc'
    ? {
        day: { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() },
        hour: date.getUTCHours(),
        min: date.getUTCMinutes(),
      }
    : { day: { year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() }, hour: date.getHours(), min: date.getMinutes() };
}

/** When calendar and clock show that; undefined for a day that is in no calendar. */
function momentOf({ year, month, day }: Day, { hour, min, sec }: Clock, zone: Zone): number | undefined {
  if (year < 1970 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
  const ms = Math.round(sec * 1000);
  // A Date takes the first of two, and goes on by as much where there is none.
  return zone === 'utc' ? Date.UTC(year, month - 1, day, hour, min, 0, ms) : new Date(year, month - 1, day, hour, min, 0, ms).getTime();
}
