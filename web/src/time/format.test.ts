import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bitrateText,
  bytesText,
  clockText,
  countText,
  dayText,
  lengthText,
  minuteText,
  momentText,
  nearText,
  shortDayText,
  zoneName,
} from './format';

const before = process.env['TZ'];
beforeAll(() => (process.env['TZ'] = 'Europe/Berlin'));
afterAll(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

const AT = Date.parse('2026-11-22T02:12:07.600Z');

describe('moments', () => {
  it('in the zone of who watches, and in UTC', () => {
    expect(momentText(AT, 'local')).toBe('Sun 22 Nov 2026, 03:12:07');
    expect(momentText(AT, 'utc')).toBe('Sun 22 Nov 2026, 02:12:07');
    expect(clockText(AT, 'local')).toBe('03:12:07');
    expect(minuteText(AT, 'utc')).toBe('02:12');
    expect(dayText(Date.parse('2026-11-21T23:30:00Z'), 'local')).toBe('Sun 22 Nov 2026');
    expect(dayText(Date.parse('2026-11-21T23:30:00Z'), 'utc')).toBe('Sat 21 Nov 2026');
    expect(shortDayText(AT, 'local')).toBe('22 Nov');
  });

  it('midnight is 00:00, and not 24:00', () => {
    expect(clockText(Date.parse('2026-11-22T00:00:00Z'), 'utc')).toBe('00:00:00');
  });

  it('near now without the day', () => {
    expect(nearText(AT, AT + 3_600_000, 'local')).toBe('03:12:07');
    expect(nearText(AT, AT + 86_400_000, 'local')).toBe('22 Nov 03:12:07');
  });

  it('the zone is named as it is at that moment', () => {
    expect(zoneName(AT, 'utc')).toBe('UTC');
    expect(zoneName(AT, 'local')).toBe('CET');
    expect(zoneName(Date.parse('2026-07-01T00:00:00Z'), 'local')).toBe('CEST');
  });
});

describe('lengths', () => {
  it.each([
    [-5, '0 s'],
    [0, '0 s'],
    [2440, '2.4 s'],
    [2000, '2 s'],
    [9940, '9.9 s'],
    [9950, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [725_000, '12 min 5 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [86_399_600, '1 d'],
    [273_600_000, '3 d 4 h'],
  ])('%i ms is "%s"', (ms, text) => expect(lengthText(ms)).toBe(text));
});

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_499, '999 kB'],
    [999_500, '1.00 MB'],
    [1.25e12, '1.25 TB'],
    [820e6, '820 MB'],
    [5e18, '5000 PB'],
  ])('%f bytes are "%s"', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  it('bits per second, and counts', () => {
    expect(bitrateText(4_210_000)).toBe('4.21 Mbit/s');
    expect(bitrateText(0)).toBe('0 bit/s');
    expect(countText(12_345)).toBe('12,345');
  });
});

it('shows what is no time as nothing, where a browser would throw', () => {
  for (const ms of [NaN, Infinity, 8.65e15, -8.65e15]) {
    expect([clockText(ms, 'utc'), momentText(ms, 'local'), zoneName(ms, 'utc')]).toEqual(['–', '–, –', '']);
  }
  expect(clockText(8.64e15, 'utc')).toBe('00:00:00');
});
