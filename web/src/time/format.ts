/** Moments, lengths and amounts in words, in the viewer's zone or UTC. Pure: the zone is given. */

/** In which zone a moment is told. */
export type Zone = 'local' | 'utc';

const LOCALE = 'en-GB';
const formats = new Map<string, Intl.DateTimeFormat>();

/** What Intl would throw at, it tells as nothing: a page that shows one wrong time is better than none. */
function text(ms: number, zone: Zone, options: Intl.DateTimeFormatOptions): string {
  return Number.isNaN(new Date(ms).getTime()) ? '–' : format(zone, options).format(ms);
}

function format(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(LOCALE, { ...options, hourCycle: 'h23', ...(zone === 'utc' ? { timeZone: 'UTC' } : {}) });
    formats.set(key, found);
  }
  return found;
}

/** `03:12:07`. */
export const clockText = (ms: number, zone: Zone): string => text(ms, zone, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `03:12`. */
export const minuteText = (ms: number, zone: Zone): string => text(ms, zone, { hour: '2-digit', minute: '2-digit' });

/** `Sun 22 Nov 2026`. */
export const dayText = (ms: number, zone: Zone): string =>
  text(ms, zone, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }).replace(',', '');

/** `22 Nov`. */
export const shortDayText = (ms: number, zone: Zone): string => text(ms, zone, { day: 'numeric', month: 'short' });

/** `Sun 22 Nov 2026, 03:12:07`. */
export const momentText = (ms: number, zone: Zone): string => `${dayText(ms, zone)}, ${clockText(ms, zone)}`;

/** `03:12:07` of the same day as `nowMs`, else `22 Nov 03:12:07`. */
export function nearText(ms: number, nowMs: number, zone: Zone): string {
  const text = clockText(ms, zone);
  return dayText(ms, zone) === dayText(nowMs, zone) ? text : `${shortDayText(ms, zone)} ${text}`;
}

/** The name of the zone at a moment: `UTC`, `CET`, `GMT+5:30`. */
export function zoneName(ms: number, zone: Zone): string {
  if (Number.isNaN(new Date(ms).getTime())) return '';
  return (
    format(zone, { timeZoneName: 'short' })
      .formatToParts(ms)
      .find(({ type }) => type === 'timeZoneName')?.value ?? ''
  );
}

const UNITS: readonly (readonly [name: string, sec: number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
];

/** A length in its two largest units: `3 d 4 h`, `12 min 5 s`, `2.4 s` below ten seconds. */
export function lengthText(ms: number): string {
  if (ms < 9950) return `${(Math.max(0, ms) / 1000).toFixed(1).replace('.0', '')} s`;
  let left = Math.round(ms / 1000);
  const i = UNITS.findIndex(([, sec]) => left >= sec);
  const words: string[] = [];
  for (const [name, sec] of UNITS.slice(i, i + 2)) {
    const count = Math.floor(left / sec);
    left -= count * sec;
    if (count > 0) words.push(`${count} ${name}`);
  }
  return words.join(' ');
}

/** `1.25 TB`, `820 MB`: decimal units, as disks are sold. */
export function bytesText(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

/** `4.2 Mbit/s`. */
export function bitrateText(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
}

/** `12,345`. */
export const countText = (count: number): string => count.toLocaleString('en');

function scaled(value: number, units: readonly string[]): string {
  let [left, i] = [value, 0];
  while (left >= 999.5 && i < units.length - 1) [left, i] = [left / 1000, i + 1];
  const digits = i === 0 || left >= 99.95 ? 0 : left >= 9.995 ? 1 : 2;
  return `${left.toFixed(digits)} ${units[i] ?? ''}`;
}
