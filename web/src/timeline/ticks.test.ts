import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaleOf } from './scale';
import { ticksOf } from './ticks';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WIDTH = 1280;
const before = process.env['TZ'];

/** Before anything asks for the zone: formats are kept (time/format.ts). */
beforeAll(() => {
  process.env['TZ'] = 'Europe/London';
});
afterAll(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

const labels = (fromMs: number, spanMs: number, zone: 'local' | 'utc', width = WIDTH): string[] =>
  ticksOf(scaleOf({ fromMs, toMs: fromMs + spanMs }, width), zone)
    .labelled.filter(({ ms }) => ms >= fromMs)
    .map(({ label }) => label);

describe('the ticks of the axis (G6)', () => {
  it('suit every zoom from ten seconds to thirty days: labels never nearer than they are wide, on round steps', () => {
    for (let spanMs = 10_000; spanMs <= 30 * DAY; spanMs *= 1.07) {
      for (const width of [344, 1280]) {
        const fromMs = Date.UTC(2026, 5, 3, 7, 13, 11, 417);
        const scale = scaleOf({ fromMs, toMs: fromMs + spanMs }, width);
        const { labelled, minor, stepMs } = ticksOf(scale, 'utc');
        expect(labelled.length).toBeGreaterThan(0);
        expect(labelled.length).toBeLessThanOrEqual(width / 78 + 2);
        expect(minor.length).toBeLessThanOrEqual(width / 7 + 14);
        for (const [i, { ms }] of labelled.entries()) {
          if (i > 0) expect((ms - (labelled[i - 1]?.ms ?? 0)) / scale.perPixel).toBeGreaterThanOrEqual(77.9);
          if (stepMs < 7 * DAY) expect(ms % stepMs).toBe(0);
        }
        const told = new Set(labelled.map(({ ms }) => ms));
        expect(minor.some((ms) => told.has(ms))).toBe(false);
      }
    }
  });

  it('say seconds, minutes or days, and a day where one begins', () => {
    const noon = Date.UTC(2026, 10, 22, 12);
    expect(labels(noon, 10_000, 'utc').slice(0, 2)).toEqual(['12:00:00', '12:00:01']);
    expect(labels(noon, HOUR, 'utc').slice(0, 2)).toEqual(['12:00', '12:05']);
    const days = labels(noon, 30 * DAY, 'utc');
    expect(days).toContain('29 Nov');
    const evening = labels(Date.UTC(2026, 10, 22, 21), 6 * HOUR, 'utc');
    expect(evening).toContain('23:30');
    expect(evening).toContain('23 Nov');
    expect(evening).not.toContain('00:00');
  });

  it('begin weeks on Monday', () => {
    const { labelled, stepMs } = ticksOf(scaleOf({ fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 11, 1) }, 500), 'utc');
    expect(stepMs).toBe(7 * DAY);
    for (const { ms } of labelled) expect(new Date(ms).getUTCDay()).toBe(1);
  });

  it('leave out the hour that a clock skips', () => {
    // London, 29 March 2026: after 00:59 comes 02:00.
    const hours = labels(Date.UTC(2026, 2, 28, 22), 8 * HOUR, 'local', 700);
    expect(hours).toEqual(['22:00', '23:00', '29 Mar', '02:00', '03:00', '04:00', '05:00', '06:00', '07:00']);
  });

  it('tell twice the hour that a clock repeats', () => {
    // London, 25 October 2026: after 01:59 comes 01:00.
    const hours = labels(Date.UTC(2026, 9, 24, 21), 8 * HOUR, 'local', 700);
    expect(hours).toEqual(['22:00', '23:00', '25 Oct', '01:00', '01:00', '02:00', '03:00', '04:00', '05:00']);
  });

  it('stay on midnight and on even hours across a change', () => {
    const span = { fromMs: Date.UTC(2026, 9, 22, 23), toMs: Date.UTC(2026, 9, 28) };
    const days = ticksOf(scaleOf(span, 700), 'local');
    expect(days.stepMs).toBe(DAY);
    for (const { ms } of days.labelled) expect([new Date(ms).getHours(), new Date(ms).getMinutes()]).toEqual([0, 0]);
    const quarters = ticksOf(scaleOf({ fromMs: Date.UTC(2026, 9, 24, 10), toMs: Date.UTC(2026, 9, 26, 10) }, 900), 'local');
    expect(quarters.stepMs).toBe(6 * HOUR);
    expect(quarters.labelled.length).toBeGreaterThanOrEqual(8);
    for (const { ms } of quarters.labelled) expect(new Date(ms).getHours() % 6).toBe(0);
  });

  it('are those of UTC where UTC is asked for', () => {
    const summer = Date.UTC(2026, 6, 1, 10);
    expect(labels(summer, HOUR, 'utc')[0]).toBe('10:00');
    expect(labels(summer, HOUR, 'local')[0]).toBe('11:00');
  });
});
