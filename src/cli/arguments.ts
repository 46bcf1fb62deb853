/** What is typed on the command line, checked: each answers with the value or throws ARGUMENT_INVALID (or the code of what it is). */
import { resolve } from 'node:path';
import { LivetapeError, type Clock } from '../base/index.js';
import { parseTime } from '../model/index.js';

/** A number of seconds within bounds. */
export const seconds =
  (name: string, least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new LivetapeError('ARGUMENT_INVALID', `${name} is a number of seconds from ${least} to ${most}, not "${text}"`);
    }
    return value;
  };

/** A number of gigabytes (10^9 bytes). */
export const gigabytes =
  (name: string) =>
  (text: string): number => {
    const value = /^\d{1,6}(\.\d{1,9})?$/.test(text) ? Number(text) : NaN;
    if (!(value >= 0)) throw new LivetapeError('ARGUMENT_INVALID', `${name} is a number of gigabytes, not "${text}"`);
    return value;
  };

/** A moment (TIME); UTC milliseconds. */
export const moment =
  (name: string) =>
  (text: string): number => {
    const ms = parseTime(text);
    if (ms === undefined)
      throw new LivetapeError('ARGUMENT_INVALID', `${name} is a time (2026-01-01T12:00:00Z, or Unix seconds), not "${text}"`);
    return ms;
  };

const SPANS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment (TIME), or one so long from now (`90m`, `12h`, `30d`); UTC milliseconds. */
export const momentOrSpan =
  (name: string, clock: Clock) =>
  (text: string): number => {
    const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
    const ms = count === undefined ? parseTime(text) : clock.nowMs() + Number(count) * (SPANS[unit] ?? NaN);
    if (ms === undefined)
      throw new LivetapeError(
        'ARGUMENT_INVALID',
        `${name} is a time (2026-01-01T12:00:00Z, or Unix seconds) or a span (12h, 30d), not "${text}"`,
      );
    return ms;
  };

/** A folder, as an absolute path. */
export function folder(text: string): string {
  if (text === '') throw new LivetapeError('ARGUMENT_INVALID', '--data is a folder, and nothing was given');
  return resolve(text);
}
