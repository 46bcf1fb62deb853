/** K10: a clock that is wrong, in every way a clock is wrong, makes nothing old. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { TrustedTime } from './trustedTime.js';

const START_MS = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An archive that is being recorded: its newest end follows the clock by which segments are labelled, a segment behind. */
function lab(
  newestEndMs: number | undefined = START_MS,
  retentionMs = 30 * DAY,
): { clock: ManualClock; time: TrustedTime; look: (label?: number) => number } {
  const clock = new ManualClock(START_MS);
  const time = new TrustedTime(clock);
  let newest = newestEndMs;
  const look = (label?: number): number => {
    if (label !== undefined) newest = label;
    return time.look({ newestEndMs: newest, mediaComes: label !== undefined, retentionMs });
  };
  return { clock, time, look };
}

/** Records for `ms`, looking at every `stepMs`; segments end where the clock is, less `behindMs`. Answers with the last look. */
function record(at: ReturnType<typeof lab>, ms: number, stepMs = 4000): number {
  let value = 0;
  for (let done = 0; done < ms; done += stepMs) {
    at.clock.advance(stepMs);
    value = at.look(at.clock.nowMs());
  }
  return value;
}

describe('K10: the time by which age is judged', () => {
  it('is the clock while nothing is wrong, and the newest end while media comes', () => {
    const at = lab();
    expect(at.look()).toBe(START_MS);
    at.clock.advance(DAY);
    expect(at.look()).toBe(START_MS + DAY);
    expect(at.look(START_MS + DAY - 8000)).toBe(START_MS + DAY - 8000);
    expect(at.time.doubt).toBeUndefined();
  });

  it('doubts a leap of the clock that was recorded just before a restart, and not one of long ago', () => {
    const look = (leapAtMs: number): number => {
      const clock = new ManualClock(START_MS + 365 * DAY);
      const gaps = [{ fromMs: leapAtMs - 364 * DAY, toMs: leapAtMs, reason: 'clock' as const }];
      return new TrustedTime(clock).look({ newestEndMs: clock.nowMs() - 4000, mediaComes: true, retentionMs: 30 * DAY, gaps });
    };
    expect(look(START_MS + 365 * DAY - HOUR)).toBeLessThanOrEqual(START_MS + DAY);
    expect(look(START_MS + 300 * DAY)).toBe(START_MS + 365 * DAY - 4000);
  });

  it('is the clock in an empty archive', () => {
    const at = lab(undefined);
    at.clock.stepWall(-10 * DAY);
    expect(at.look()).toBe(START_MS - 10 * DAY);
  });

  it('goes on at its own pace when the clock is set forward all at once, and after an hour catches up a day in an hour', () => {
    const at = lab();
    const before = record(at, 10 * MINUTE);
    at.clock.stepWall(30 * DAY);
    // Nothing comes now: the clock alone says it.
    for (let minute = 1; minute < 60; minute++) {
      at.clock.advance(MINUTE);
      expect(at.look()).toBe(before + minute * MINUTE);
      expect(at.time.doubt).toBe('step');
    }
    at.clock.advance(2 * MINUTE);
    const start = at.look();
    expect(start).toBe(before + HOUR + MINUTE);
    for (let hour = 1; hour < 31; hour++) {
      at.clock.advance(HOUR);
      expect(at.look()).toBe(start + hour * DAY);
      expect(at.time.doubt).toBe('step');
    }
    at.clock.advance(2 * HOUR);
    expect(at.look()).toBe(at.clock.nowMs());
    expect(at.time.doubt).toBeUndefined();
  });

  it('is not taken in by segments that carry the wrong time too', () => {
    const at = lab();
    const before = record(at, 10 * MINUTE);
    at.clock.stepWall(30 * DAY);
    expect(record(at, 59 * MINUTE)).toBe(before + 59 * MINUTE);
    const hourOn = record(at, MINUTE + HOUR);
    expect(hourOn).toBeGreaterThan(before + DAY);
    expect(hourOn).toBeLessThan(before + DAY + 2 * HOUR);
  });

  it('never moves when a clock that was set forward is set right within the hour', () => {
    const at = lab();
    record(at, 10 * MINUTE);
    at.clock.stepWall(30 * DAY);
    record(at, 50 * MINUTE);
    at.clock.stepWall(-30 * DAY);
    // Recorded time goes on ahead of the clock (docs/design/time.md): the clock is the lesser.
    at.clock.advance(4000);
    expect(at.look(at.clock.nowMs() + 30 * DAY)).toBe(at.clock.nowMs());
    expect(at.time.doubt).toBe('ahead');
  });

  it('begins to wait anew with each other step', () => {
    const at = lab();
    const before = record(at, MINUTE);
    for (let i = 0; i < 10; i++) {
      at.clock.stepWall((i % 2 === 0 ? 1 : 2) * DAY);
      at.clock.advance(50 * MINUTE);
      expect(at.look()).toBe(before + (i + 1) * 50 * MINUTE);
    }
  });

  it('is never later than the clock, and goes back for good when that has stood for an hour', () => {
    const at = lab();
    const before = record(at, MINUTE);
    at.clock.stepWall(-3 * DAY);
    at.clock.advance(50 * MINUTE);
    expect(at.look(before)).toBe(at.clock.nowMs());
    at.clock.stepWall(3 * DAY);
    expect(at.look()).toBe(before + 50 * MINUTE);
    expect(at.time.doubt).toBeUndefined();
    at.clock.stepWall(-3 * DAY);
    at.look();
    at.clock.advance(61 * MINUTE);
    at.look();
    expect(at.time.doubt).toBe('ahead');
    at.clock.stepWall(3 * DAY);
    expect(at.look()).toBe(before + 111 * MINUTE - 3 * DAY);
  });

  it('is not taken in across a restart: the first look goes on from what is recorded', () => {
    const at = lab();
    at.clock.stepWall(365 * DAY);
    expect(at.look()).toBe(START_MS);
    expect(record(at, 59 * MINUTE)).toBe(START_MS + 59 * MINUTE);
    expect(at.time.doubt).toBe('step');
  });

  it('catches a week of downtime up in seven hours and a little', () => {
    const at = lab(START_MS - 7 * DAY);
    expect(at.look()).toBe(START_MS - 7 * DAY);
    expect(record(at, 8 * HOUR)).toBeLessThan(at.clock.nowMs());
    expect(record(at, 30 * MINUTE)).toBe(at.clock.nowMs());
    expect(at.time.doubt).toBeUndefined();
  });

  it('believes no step at once by which a tenth of what is kept becomes old', () => {
    const at = lab(START_MS, HOUR);
    const before = record(at, MINUTE);
    at.clock.stepWall(59 * MINUTE);
    expect(record(at, MINUTE)).toBe(before + MINUTE);
    expect(at.time.doubt).toBe('step');
    at.clock.stepWall(-54 * MINUTE);
    expect(at.look()).toBe(at.clock.nowMs());
    expect(at.time.doubt).toBeUndefined();
  });

  it('adds small steps up', () => {
    const at = lab();
    const before = record(at, MINUTE);
    let value = 0;
    for (let i = 0; i < 25; i++) {
      at.clock.stepWall(59 * MINUTE);
      value = record(at, 4000);
    }
    expect(value).toBeLessThan(before + 25 * 4000 + HOUR);
    expect(at.time.doubt).toBe('step');
  });

  it('does not believe any more what it believed when more was kept', () => {
    const clock = new ManualClock(START_MS);
    const time = new TrustedTime(clock);
    const look = (retentionMs: number): number => time.look({ newestEndMs: START_MS, mediaComes: false, retentionMs });
    look(0);
    clock.stepWall(59 * MINUTE);
    expect(look(0)).toBe(START_MS + 59 * MINUTE);
    expect(look(HOUR)).toBe(START_MS + 6 * MINUTE);
    expect(time.doubt).toBe('step');
  });

  it('takes a clock that is slewed for months as it comes', () => {
    const at = lab(START_MS, HOUR);
    at.look();
    for (let hour = 0; hour < 24 * 90; hour++) {
      at.clock.advance(HOUR);
      at.clock.stepWall(1800);
      expect(at.look()).toBe(at.clock.nowMs());
    }
    expect(at.time.doubt).toBeUndefined();
  });

  it('names recorded time that is ahead of the clock, and goes by the clock', () => {
    const at = lab(START_MS + 365 * DAY);
    expect(at.look()).toBe(START_MS);
    expect(at.time.doubt).toBe('ahead');
    at.clock.advance(10 * DAY);
    expect(at.look(START_MS + 366 * DAY)).toBe(START_MS + 10 * DAY);
    expect(at.time.doubt).toBe('ahead');
    at.clock.advance(356 * DAY - 30 * MINUTE);
    at.look();
    expect(at.time.doubt).toBeUndefined();
  });

  it('begins from the earlier clock where what is recorded was labelled by a later one', () => {
    const at = lab(START_MS + 30 * DAY);
    expect(at.look()).toBe(START_MS);
    expect(record(at, 5 * MINUTE)).toBe(START_MS + 5 * MINUTE);
  });

  it('takes small steps and a signal that was lost for days as they come', () => {
    const at = lab();
    record(at, MINUTE);
    at.clock.stepWall(30 * MINUTE);
    at.clock.advance(1000);
    expect(at.look()).toBe(at.clock.nowMs());
    for (let hour = 0; hour < 72; hour++) {
      at.clock.advance(HOUR);
      expect(at.look()).toBe(at.clock.nowMs());
    }
  });

  it('never gains more than a day in an hour, and the steps that are believed at once', () => {
    const step = fc.record({
      advance: fc.integer({ min: 0, max: 40 * MINUTE }),
      wall: fc.constantFrom(0, 0, 0, 0, 20 * MINUTE, HOUR * 2, 40 * DAY, -DAY, -HOUR * 2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(HOUR, 30 * DAY), (steps, retentionMs) => {
        const at = lab(START_MS, retentionMs);
        at.look();
        const maxStep = Math.min(HOUR, retentionMs / 10);
        let passedMs = 0;
        for (const { advance, wall } of steps) {
          at.clock.stepWall(wall);
          at.look();
          at.clock.advance(advance);
          passedMs += advance;
          const believed = maxStep * (1 + Math.floor(passedMs / HOUR));
          const caughtUp = 23 * Math.max(0, passedMs - HOUR);
          expect(at.look() - START_MS).toBeLessThanOrEqual(passedMs * 1.001 + believed + caughtUp);
        }
      }),
    );
  });
});
