/** How things are shown: lengths, sizes, times and tables for people; JSON for programs. */
import type { Gap } from '../model/index.js';

/** `1:02:03` of seconds, rounded. */
export function showDuration(seconds: number): string {
  const whole = Math.round(Math.max(0, seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** `12.3 MB`: powers of 1,000, as disks and networks are counted. */
export function showSize(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB', 'PB']);
}

/** `2.0 Mbit/s`. */
export function showBitrate(bitsPerSecond: number): string {
  return scaled(bitsPerSecond, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s']);
}

function scaled(value: number, units: readonly string[]): string {
  let unit = 0;
  let rest = value;
  // 999.95 would be shown as 1000.0
  for (; rest >= 999.95 && unit < units.length - 1; unit++) rest /= 1000;
  return `${unit === 0 ? Math.round(rest) : rest.toFixed(1)} ${units[unit]}`;
}

/** UTC to the second, as `2026-01-01 00:00:00Z`. */
export function showTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** Columns under their headings, two spaces between them. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${[headings, ...rows].map(line).join('\n')}\n`;
}

/** A gap as index.json and the HTTP interface have it: times in RFC 3339, the duration in nanoseconds. */
export function gapJson(gap: Gap): Record<string, unknown> {
  return {
    from: new Date(gap.fromMs).toISOString(),
    to: new Date(gap.toMs).toISOString(),
    duration: Math.round(gap.toMs - gap.fromMs) * 1e6,
    reason: gap.reason,
  };
}
