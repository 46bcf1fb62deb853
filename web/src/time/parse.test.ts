import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseMoment } from './parse';

const before = process.env['TZ'];
beforeEach(() => (process.env['TZ'] = 'Europe/Berlin'));
afterEach(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

/** Sunday, 16:20:30 in Berlin. */
const NOW = Date.parse('2026-11-22T15:20:30.250Z');
const local = (text: string, now = NOW): string | undefined => iso(parseMoment(text, now, 'local'));
const utc = (text: string): string | undefined => iso(parseMoment(text, NOW, 'utc'));
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('parseMoment', () => {
  it.each([
    ['now', '2026-11-22T15:20:30.250Z'],
    ['yesterday 03:12', '2026-11-21T02:12:00.000Z'],
    ['Yesterday, 03:12', '2026-11-21T02:12:00.000Z'],
    ['03:12 yesterday', '2026-11-21T02:12:00.000Z'],
    ['yesterday', '2026-11-20T23:00:00.000Z'],
    ['yesterday at noon', '2026-11-21T11:00:00.000Z'],
    ['today 14:00', '2026-11-22T13:00:00.000Z'],
    ['03:12', '2026-11-22T02:12:00.000Z'],
    ['3:12', '2026-11-22T02:12:00.000Z'],
    ['23:30', '2026-11-21T22:30:00.000Z'],
    ['03:12:07.5', '2026-11-22T02:12:07.500Z'],
    ['03:12:07,25', '2026-11-22T02:12:07.250Z'],
    ['8 pm', '2026-11-21T19:00:00.000Z'],
    ['12am', '2026-11-21T23:00:00.000Z'],
    ['12:30pm', '2026-11-22T11:30:00.000Z'],
    ['monday 8:30', '2026-11-16T07:30:00.000Z'],
    ['mon 8:30', '2026-11-16T07:30:00.000Z'],
    ['last monday 8pm', '2026-11-16T19:00:00.000Z'],
    ['sunday 8:30', '2026-11-22T07:30:00.000Z'],
    ['sunday 18:30', '2026-11-15T17:30:00.000Z'],
    ['last sunday 8:30', '2026-11-15T07:30:00.000Z'],
    ['22 nov 03:12', '2026-11-22T02:12:00.000Z'],
    ['22 Nov 23:12', '2025-11-22T22:12:00.000Z'],
    ['nov 21st 03:12', '2026-11-21T02:12:00.000Z'],
    ['3:12 on 21 november', '2026-11-21T02:12:00.000Z'],
    ['1 Sept 2026 10:00', '2026-09-01T08:00:00.000Z'],
    ['29 feb 10:00', '2024-02-29T09:00:00.000Z'],
    ['22.11. 03:12', '2026-11-22T02:12:00.000Z'],
    ['22.11.2026 03:12', '2026-11-22T02:12:00.000Z'],
    ['22/11/26 03:12', '2026-11-22T02:12:00.000Z'],
    ['2026-11-22 03:12', '2026-11-22T02:12:00.000Z'],
    ['2026-11-22T03:12', '2026-11-22T02:12:00.000Z'],
    ['2026-11-22', '2026-11-21T23:00:00.000Z'],
    ['2026-11-22T03:12:07.125Z', '2026-11-22T03:12:07.125Z'],
    ['2026-11-22T03:12:07.125+05:30', '2026-11-21T21:42:07.125Z'],
    ['2026-11-22 03:12:07 -0800', '2026-11-22T11:12:07.000Z'],
    ['22 Nov 2026, 03:12 UTC', '2026-11-22T03:12:00.000Z'],
    ['22 Nov 2026, 03:12 GMT+5:30', '2026-11-21T21:42:00.000Z'],
    ['Sat 21 Nov 2026, 03:12:00 CET', '2026-11-21T02:12:00.000Z'],
    ['1795360327', '2026-11-22T15:12:07.000Z'],
    ['1795360327.5', '2026-11-22T15:12:07.500Z'],
    ['1795360327500', '2026-11-22T15:12:07.500Z'],
    ['5 min ago', '2026-11-22T15:15:30.250Z'],
    ['2 h ago', '2026-11-22T13:20:30.250Z'],
    ['1 hour and 30 minutes ago', '2026-11-22T13:50:30.250Z'],
    ['-90s', '2026-11-22T15:19:00.250Z'],
    ['-1h30m', '2026-11-22T13:50:30.250Z'],
    ['3 days ago 10:00', '2026-11-19T09:00:00.000Z'],
  ])('understands "%s"', (text, expected) => expect(local(text)).toBe(expected));

  it.each([
    ['03:12', '2026-11-22T03:12:00.000Z'],
    ['yesterday 03:12', '2026-11-21T03:12:00.000Z'],
    ['2026-11-22T03:12:07+01:00', '2026-11-22T02:12:07.000Z'],
    ['Sun 22 Nov 2026, 03:12:07 UTC', '2026-11-22T03:12:07.000Z'],
  ])('in UTC "%s"', (text, expected) => expect(utc(text)).toBe(expected));

  it.each([
    '',
    ' ',
    'soon',
    '25:00',
    '12:60',
    '13 pm',
    '0 am',
    '31 feb 10:00',
    '30.2.2026',
    '22.13.',
    'mon 22 nov 2026',
    '5 min',
    'ago',
    '-',
    '-5',
    '12',
    '99999-01-01',
    '03:12 XYZ',
    '2026-11-22T03:12:07+99:00',
  ])('takes "%s" for no moment', (text) => expect(local(text)).toBeUndefined());

  it('takes the first of two times where clocks are set back, and the named one', () => {
    expect(local('25 oct 2026 02:30')).toBe('2026-10-25T00:30:00.000Z');
    expect(local('25 oct 2026 02:30 CEST')).toBe('2026-10-25T00:30:00.000Z');
    expect(local('25 oct 2026 02:30 CET')).toBe('2026-10-25T01:30:00.000Z');
  });

  it('goes on by as much where clocks are set forward', () => {
    expect(local('29 mar 2026 02:30')).toBe('2026-03-29T01:30:00.000Z');
    expect(local('29 mar 2026 03:30')).toBe('2026-03-29T01:30:00.000Z');
  });

  it('counts days by the calendar over a day of 25 hours', () => {
    const now = Date.parse('2026-10-26T11:00:00Z');
    expect(local('yesterday 00:30', now)).toBe('2026-10-24T22:30:00.000Z');
    expect(local('2 days ago 12:00', now)).toBe('2026-10-24T10:00:00.000Z');
  });

  it.each(['Europe/Berlin', 'America/St_Johns', 'Asia/Kolkata', 'Australia/Lord_Howe', 'UTC'])(
    'reads back what format.ts writes in %s (fuzzed)',
    async (timeZone) => {
      process.env['TZ'] = timeZone;
      // It keeps its formats, and they their zone.
      vi.resetModules();
      const { clockText, dayText, minuteText, momentText, nearText, shortDayText, zoneName } = await import('./format');
      const { parseMoment: parse } = await import('./parse');
      const past = fc.integer({ min: Date.parse('2001-01-01T00:00:00Z'), max: NOW });
      fc.assert(
        fc.property(past, fc.constantFrom('local' as const, 'utc' as const), (some, zone) => {
          const ms = Math.floor(some / 1000) * 1000;
          const again = (write: (ms: number, zone: 'local' | 'utc') => string): void => {
            const text = write(ms, zone);
            const found = parse(text, NOW, zone);
            expect(found === undefined ? `${text} is not understood` : write(found, zone)).toBe(text);
          };
          for (const write of [momentText, dayText, clockText, minuteText, shortDayText]) again(write);
          const text = `${momentText(ms, zone)} ${zoneName(ms, zone)}`;
          expect([text, parse(text, NOW, zone)]).toEqual([text, ms]);
          if (NOW - ms < 300 * 86_400_000)
            expect(momentText(parse(nearText(ms, NOW, zone), NOW, zone) ?? NaN, zone)).toBe(momentText(ms, zone));
          expect(parse(new Date(some).toISOString(), NOW, zone)).toBe(some);
        }),
        {
          numRuns: 200,
          examples: [
            [Date.parse('2026-10-25T01:30:00Z'), 'local'],
            [Date.parse('2026-10-25T00:30:00Z'), 'local'],
            [Date.parse('2026-04-04T15:15:00Z'), 'local'],
          ],
        },
      );
    },
  );

  it('never throws, and answers with a moment or nothing (fuzzed)', () => {
    const word = fc.constantFrom(
      'yesterday',
      'mon',
      'last',
      '03:12',
      '7',
      '22.11.',
      'nov',
      'pm',
      'ago',
      'utc',
      '+01:00',
      '-',
      'h',
      '99',
      '2026-11-22',
      't',
      'z',
      ',',
      '0',
      'cet',
      'noon',
    );
    const texts = fc.oneof(
      fc.string({ maxLength: 100 }),
      fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
      fc.array(word, { maxLength: 8 }).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(texts, fc.integer({ min: 0, max: 4e12 }), fc.constantFrom('local' as const, 'utc' as const), (text, now, zone) => {
        const found = parseMoment(text, now, zone);
        expect(found === undefined || (Number.isInteger(found) && !Number.isNaN(new Date(found).getTime()))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
