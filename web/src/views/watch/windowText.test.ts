import { expect, it } from 'vitest';
import { windowText } from './windowText';

it('G9: names the day of the end where it is another', () => {
  const ms = Date.UTC(2026, 10, 22, 3, 12, 7);
  expect(windowText(ms, ms + 183_000, 'utc')).toBe('Sun 22 Nov 2026, 03:12:07 to 03:15:10 UTC, 3 min 3 s');
  expect(windowText(ms, ms + 86_400_000, 'utc')).toBe('Sun 22 Nov 2026, 03:12:07 to Mon 23 Nov 2026, 03:12:07 UTC, 1 d');
});
