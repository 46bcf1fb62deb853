/** How long and how much a stream keeps, as a form shows it, and what that comes to on the disk. Pure. */
import { bytesText, lengthText } from '../time/format';

/** What is offered; seconds, 0 for ever. */
export const KEEP_PRESETS: readonly (readonly [sec: number, words: string])[] = [
  [86_400, '1 day'],
  [604_800, '7 days'],
  [2_592_000, '30 days'],
  [0, 'For ever'],
];

export const KEEP_UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const;
export type KeepUnit = keyof typeof KEEP_UNITS;

const GB = 1e9;
const DAY_SEC = 86_400;

/** Seconds as a number with the largest unit that leaves no more than two decimals. */
export function keepParts(sec: number): { readonly count: number; readonly unit: KeepUnit } {
  const unit = (['days', 'hours'] as const).find((name) => Number.isInteger(sec / KEEP_UNITS[name])) ?? 'minutes';
  return { count: Math.round((sec / KEEP_UNITS[unit]) * 100) / 100, unit };
}

/**
 * `About 45 GB a day, 317 GB for 7 days.`: what comes to lie on the disk.
 * @param bitrate - bits per second; undefined where it is not known
 * @param retentionSec - 0 keeps all
 * @param maxGb - 0 is no bound
 */
export function sizeText(bitrate: number | undefined, retentionSec: number, maxGb: number): string | undefined {
  if (bitrate === undefined || !(bitrate > 0)) return undefined;
  const perSec = bitrate / 8;
  const day = `About ${bytesText(perSec * DAY_SEC)} a day`;
  const all = perSec * retentionSec;
  if (maxGb > 0 && (retentionSec === 0 || all > maxGb * GB)) {
    return `${day}: ${bytesText(maxGb * GB)} hold about ${lengthText(((maxGb * GB) / perSec) * 1000)}.`;
  }
  if (retentionSec === 0) return `${day}, until the disk is full: nothing is deleted.`;
  return retentionSec === DAY_SEC ? `${day}.` : `${day}, ${bytesText(all)} for ${spanText(retentionSec)}.`;
}

function spanText(sec: number): string {
  const { count, unit } = keepParts(sec);
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
}
