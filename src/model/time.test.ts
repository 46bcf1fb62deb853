import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTime } from './time.js';

describe('TIME, as docs/reference/cli.md states it', () => {
  it.each([
    ['2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1)],
    ['2026-01-01t00:00:00z', Date.UTC(2026, 0, 1)],
    ['2026-01-01 01:00:00+01:00', Date.UTC(2026, 0, 1)],
    ['2026-01-01T00:00:00.5Z', Date.UTC(2026, 0, 1) + 500],
    ['2026-01-01T00:00:00.123456789Z', Date.UTC(2026, 0, 1) + 123],
    ['2024-02-29T23:59:59-23:59', Date.UTC(2024, 1, 29, 23, 59, 59) + (23 * 60 + 59) * 60_000],
    ['1767225600', Date.UTC(2026, 0, 1)],
    ['1767225600.001', Date.UTC(2026, 0, 1) + 1],
    ['99999999998.999', 99_999_999_998_999],
    ['0', 0],
  ])('reads %s', (text, ms) => expect(parseTime(text)).toBe(ms));

  it.each([
    '',
    'now',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T25:00:00Z',
    '-5',
    '1e3',
    '12.',
    ' 1',
    '1767225600000',
  ])('refuses %j', (text) => expect(parseTime(text)).toBeUndefined());

  it('reads back every moment, however it is written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
        expect(parseTime(new Date(ms).toISOString())).toBe(ms);
        if (ms < 99_999_999_999_000) expect(parseTime((ms / 1000).toFixed(3))).toBe(ms);
      }),
    );
  });

  it('answers or refuses, whatever is typed', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseTime(text)));
  });
});
