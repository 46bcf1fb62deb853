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
function lab(newestEndMs: number | undefined = START_MS): { clock: ManualClock; time: TrustedTime; look: (label?: number) => number } {
  const clock = new ManualClock(START_MS);
  const time = new TrustedTime(clock);
  let newest = newestEndMs;
  const look = (label?: number): number => {
    if (label !== undefined) newest = label;
    return time.look({ newestEndMs: newest, mediaComes: label !== undefined });
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
    expect(at.time.inDoubt).toBe(false);
  });

  it('is the clock in an empty archive', () => {
    const at = lab(undefined);
    at.clock.stepWall(-10 * DAY);
    expect(at.look()).toBe(START_MS - 10 * DAY);
  });

  it('goes on at its own pace when the clock is set forward all at once, until that has stood for an hour', () => {
    const at = lab();
    const before = record(at, 10 * MINUTE);
    at.clock.stepWall(30 * DAY);
    // Nothing comes now: the clock alone says it.
    for (let minute = 1; minute < 60; minute++) {
      at.clock.advance(MINUTE);
      expect(at.look()).toBe(before + minute * MINUTE);
      expect(at.time.inDoubt).toBe(true);
    }
    at.clock.advance(2 * MINUTE);
    expect(at.look()).toBe(at.clock.nowMs());
    expect(at.time.inDoubt).toBe(false);
  });

  it('is not taken in by segments that carry the wrong time too', () => {
    const at = lab();
    const before = record(at, 10 * MINUTE);
    at.clock.stepWall(30 * DAY);
    expect(record(at, 59 * MINUTE)).toBe(before + 59 * MINUTE);
    expect(record(at, 2 * MINUTE)).toBe(at.clock.nowMs());
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
    expect(at.time.inDoubt).toBe(false);
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

  it('goes on when the clock is set back, and believes that after an hour', () => {
    const at = lab();
    const before = record(at, MINUTE);
    at.clock.stepWall(-3 * DAY);
    at.clock.advance(59 * MINUTE);
    expect(at.look(before)).toBe(before + 59 * MINUTE);
    at.clock.advance(61 * MINUTE);
    expect(at.look(before)).toBe(at.clock.nowMs());
  });

  it('is not taken in across a restart: the first look goes on from what is recorded', () => {
    const at = lab();
    at.clock.stepWall(365 * DAY);
    expect(at.look()).toBe(START_MS);
    expect(record(at, 59 * MINUTE)).toBe(START_MS + 59 * MINUTE);
    expect(at.time.inDoubt).toBe(true);
  });

  it('believes a long downtime that was one, an hour later', () => {
    const at = lab(START_MS - 14 * DAY);
    expect(at.look()).toBe(START_MS - 14 * DAY);
    expect(record(at, 61 * MINUTE)).toBe(at.clock.nowMs());
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

  it('is never further on than an hour beyond what has passed, unless a step has stood for an hour', () => {
    const step = fc.record({
      advance: fc.integer({ min: 0, max: 20 * MINUTE }),
      wall: fc.constantFrom(0, 0, 0, HOUR * 2, DAY, -DAY, -HOUR * 2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const at = lab();
        let value = at.look();
        let quietMs = 0;
        for (const { advance, wall } of steps) {
          if (wall !== 0) {
            at.clock.stepWall(wall);
            quietMs = 0;
          }
          at.clock.advance(advance);
          quietMs += advance;
          const next = at.look();
          if (quietMs < HOUR) expect(next - value - advance).toBeLessThanOrEqual(HOUR);
          value = next;
        }
      }),
    );
  });
});
