/**
 * Moments as people and programs write them, on the command line and in URLs: RFC 3339 or Unix seconds.
 */

/**
 * A moment; UTC milliseconds, whole. Undefined when it is none.
 * @param text - `2026-01-01T12:00:00Z`, `2026-01-01T13:00:00.5+01:00`, or `1767268800.5`
 */
export function parseTime(text: string): number | undefined {
  const unix = /^(\d{1,11})(?:\.(\d{1,9}))?$/.exec(text);
  // Digits, not a product: far seconds times a thousand are not exact.
  if (unix) return Number(unix[1]) * 1000 + Number(`${unix[2] ?? ''}000`.slice(0, 3));
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', zone = ''] = match;
  // Date.parse takes 30 February for 2 March.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) return undefined;
  const ms = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms;
}
