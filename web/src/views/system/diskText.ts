/** What becomes of a disk, in words, and what lies on it, in parts of the whole. Pure. */
import type { System } from '../../api';
import { bytesText, dayText, lengthText, type Zone } from '../../time/format';

type Disk = System['disks'][number];

const DAY_MS = 86_400_000;
/** Full within so long: something is to be done now, or soon. */
const NOW_MS = 2 * DAY_MS;
const SOON_MS = 14 * DAY_MS;

/** What becomes of it. */
export interface Forecast {
  readonly tone: 'ok' | 'waiting' | 'bad' | 'off';
  readonly text: string;
}

/** @param nowMs - UTC milliseconds, the server's */
export function forecastOf(disk: Disk, nowMs: number, zone: Zone): Forecast {
  const { forecast, full_at: fullAt, held_bytes: held } = disk;
  if (forecast === 'holds') {
    return {
      tone: 'ok',
      text: held === null ? 'Never full: retention holds it.' : `Never full: retention holds it at ${bytesText(held)}.`,
    };
  }
  const fullMs = Date.parse(fullAt ?? '');
  if (forecast === 'unknown' || Number.isNaN(fullMs)) return { tone: 'off', text: 'When it will be full is not known yet.' };
  const left = fullMs - nowMs;
  // With less than is to stay free the oldest segments go (min_free_gb): recording does not end there.
  const isReserved = disk.reserved_bytes > 0;
  const what = isReserved ? 'Full but for what is to stay free' : 'Full';
  const then = isReserved ? ': the oldest segments go from then on' : ', at today’s rate';
  if (left <= 0) return isReserved ? { tone: 'waiting', text: `${what}: the oldest segments go.` } : { tone: 'bad', text: `${what}.` };
  const tone = left >= SOON_MS ? 'ok' : left >= NOW_MS || isReserved ? 'waiting' : 'bad';
  return { tone, text: `${what} in ${lengthText(left)}, on ${dayText(fullMs, zone)}${then}.` };
}

/** What lies on a disk, each as a part of the whole from 0 to 1; together 1. */
export interface DiskParts {
  readonly archive: number;
  readonly other: number;
  readonly free: number;
  /** Of what is free, that which is to stay free. */
  readonly reserved: number;
}

/** Of a disk whose size is not known, undefined. */
export function diskParts(disk: Disk): DiskParts | undefined {
  const { total_bytes: total, free_bytes: free, archive_bytes: archive, reserved_bytes: kept } = disk;
  if (!(total > 0)) return undefined;
  const used = Math.max(0, total - free);
  // What is recorded may have been counted a moment before what is free.
  const own = Math.min(archive, used);
  const reserved = Math.min(kept, free);
  return { archive: own / total, other: (used - own) / total, free: (free - reserved) / total, reserved: reserved / total };
}
