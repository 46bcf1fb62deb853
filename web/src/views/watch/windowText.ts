/** A window in words. Pure. */
import { clockText, dayText, lengthText, momentText, zoneName, type Zone } from '../../time/format';

/** `Sun 22 Nov 2026, 03:12:07 to 03:15:10 UTC, 3 min 3 s`. */
export function windowText(fromMs: number, toMs: number, zone: Zone): string {
  const end = dayText(fromMs, zone) === dayText(toMs, zone) ? clockText(toMs, zone) : momentText(toMs, zone);
  return `${momentText(fromMs, zone)} to ${end} ${zoneName(fromMs, zone)}, ${lengthText(toMs - fromMs)}`;
}
