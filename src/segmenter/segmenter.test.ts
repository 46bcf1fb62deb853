/** Where segments begin and end, discontinuities, gaps, the clocks: docs/design/time.md, rule by rule. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PTS_MODULUS, TICKS_PER_SECOND } from '../model/index.js';
import { chooseTargetSec } from './target.js';
import { Driver, UNIT_BYTES } from './testDriver.js';

const SECOND = TICKS_PER_SECOND;
const T0 = Date.UTC(2026, 0, 1);

describe('where to cut', () => {
  it('cuts at the first keyframe in another bin of the raw PTS', () => {
    const driver = new Driver({ dts90k: 10 * SECOND });
    driver.play(13);
    driver.finish();
    // PTS 10 is in bin 2 (8..12), 12 in bin 3, 16 in bin 4, 20 in bin 5
    expect(driver.durations).toEqual([2, 4, 4, 3]);
    expect(driver.segments.map((s) => s.forced)).toEqual([false, false, false, false]);
    expect(driver.lives).toEqual([6]);
  });

  it('cuts two recorders that start apart at the same frames', () => {
    const cuts = (startAt: number): number[] => {
      const driver = new Driver({ dts90k: 10 * SECOND });
      driver.keyEvery = 30;
      const skip = Math.round(startAt * 25);
      for (let i = 0; i < skip; i++) {
        driver.frames += 1;
        driver.dts90k += driver.frame90k;
      }
      driver.play(60 - startAt);
      return driver.segments.slice(1).map((s) => s.pts?.first90k ?? -1);
    };
    const [first, second] = [cuts(0), cuts(3.3)];
    expect(second.length).toBeGreaterThan(10);
    expect(first.slice(-second.length)).toEqual(second);
  });

  it('is right to the tick with B-frames and across the 33-bit wrap', () => {
    const driver = new Driver({ dts90k: PTS_MODULUS - 10 * SECOND });
    driver.reorder90k = 2 * driver.frame90k;
    driver.play(20);
    driver.finish();
    const total = driver.segments.reduce((sum, s) => sum + s.duration90k, 0);
    expect(total).toBe(20 * SECOND);
    expect(driver.segments.every((s) => !s.discontinuity && s.gap === undefined)).toBe(true);
    for (const [i, segment] of driver.segments.entries()) {
      const next = driver.segments[i + 1];
      if (next) expect(segment.pts?.end90k).toBe(next.pts?.first90k);
    }
  });

  it('leaves out what comes before the first keyframe, and counts it', () => {
    const driver = new Driver();
    driver.frames = 10;
    driver.play(10);
    driver.finish();
    expect(driver.segments[0]?.lostBytes).toBe(40 * UNIT_BYTES);
    expect(driver.segments[0]?.forced).toBe(false);
  });

  it('keeps a stream without keyframes after the longest wait, and cuts it by force below the target', () => {
    const driver = new Driver();
    driver.keyEvery = 1e9;
    driver.frames = 1;
    driver.play(80);
    driver.finish();
    expect(driver.segments[0]?.lostBytes).toBeGreaterThan(7.9 * 25 * UNIT_BYTES);
    expect(driver.segments[0]?.lostBytes).toBeLessThan(8.2 * 25 * UNIT_BYTES);
    expect(driver.segments.length).toBeGreaterThan(2);
    const target = driver.lives[0] ?? 0;
    for (const segment of driver.segments) {
      expect(segment.forced).toBe(true);
      expect(Math.round(segment.duration90k / SECOND)).toBeLessThanOrEqual(target);
    }
    expect(driver.segments.reduce((sum, s) => sum + s.duration90k, 0)).toBe(driver.dts90k - (driver.segments[0]?.pts?.first90k ?? 0));
  });

  it('cuts at 64 MiB', () => {
    const driver = new Driver();
    driver.keyEvery = 1e9;
    for (let i = 0; i < 60; i++) {
      driver.frame();
      driver.position += 2 * 1024 * 1024;
    }
    driver.finish();
    expect(driver.segments.length).toBe(2);
    expect((driver.segments[0]?.to ?? 0) - (driver.segments[0]?.from ?? 0)).toBeLessThanOrEqual(67 * 1024 * 1024);
    expect(driver.segments[1]?.forced).toBe(true);
  });

  it('gives up a life whose target does not fit the keyframes, for one that does', () => {
    const driver = new Driver();
    driver.keyEvery = 25;
    driver.play(9);
    expect(driver.lives).toEqual([5]);
    driver.keyEvery = 250;
    driver.play(100);
    expect(driver.lives).toEqual([5, 10]);
    const after = driver.segments.length;
    driver.play(60);
    expect(driver.segments.slice(after).every((s) => !s.forced && s.duration90k === 10 * SECOND)).toBe(true);
    expect(driver.lives).toEqual([5, 10]);
  });

  it.each([
    [2 * SECOND, 6],
    [10 * SECOND, 10],
    [10.01 * SECOND, 11],
    [0.5 * SECOND, 5],
    [undefined, 8],
    [1000 * SECOND, 60],
  ])('F13: keyframes %s ticks apart and segments of 4 s make a target of %s', (longest, target) => {
    expect(chooseTargetSec(longest, 4 * SECOND)).toBe(target);
  });
});

describe('the tail of a run', () => {
  it.each([0.04, 0.28, 0.48])('of %s s stays with the segment before it', (tail) => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(8 + tail);
    driver.finish();
    expect(driver.durations).toEqual([4, 4 + tail]);
    expect(driver.segments[1]?.keyframes).toHaveLength(3);
  });

  it('of more than half a second is a segment', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(8.56);
    driver.finish();
    expect(driver.durations).toEqual([4, 4, 0.56]);
  });

  it('is a segment when it would not fit below the target', () => {
    const driver = new Driver({ dts90k: 12 * SECOND, targetDurationSec: 4 });
    driver.play(8.48);
    driver.finish();
    expect(driver.durations).toEqual([4, 4.48]);
    const full = new Driver({ dts90k: 12 * SECOND, targetDurationSec: 4 });
    full.play(8.48);
    full.frame();
    full.finish();
    expect(full.durations).toEqual([4, 4, 0.52]);
  });
});

describe('F14: no segment gets longer than its target', () => {
  it('when under a second is lost over the keyframe that should have cut it', () => {
    const driver = new Driver({ dts90k: 20 * SECOND, targetDurationSec: 10, segmentDurationSec: 10 });
    driver.keyEvery = 250;
    driver.play(9.84);
    driver.clock.advance(960);
    driver.dts90k += 0.96 * SECOND;
    driver.frames += 24;
    driver.play(15);
    driver.finish();
    expect(driver.segments[0]?.duration90k).toBe(9.84 * SECOND);
    expect(driver.segments[1]).toMatchObject({ discontinuity: true, forced: true, gap: undefined });
  });

  it('when a video stops and the sound goes on', () => {
    const driver = new Driver({ dts90k: 20 * SECOND });
    for (let i = 0; i < 25 * 9; i++) {
      driver.sound(driver.dts90k);
      driver.frame();
    }
    for (let i = 0; i < 200; i++) {
      driver.sound(driver.dts90k);
      driver.dts90k += 0.1 * SECOND;
      driver.clock.advance(100);
    }
    driver.frames = 0;
    for (let i = 0; i < 25 * 9; i++) {
      driver.sound(driver.dts90k);
      driver.frame();
    }
    driver.finish();
    expect(driver.segments.reduce((sum, s) => sum + s.duration90k, 0)).toBeCloseTo(38 * SECOND, -4);
    expect(driver.segments.every((s) => s.gap === undefined)).toBe(true);
    expect(driver.segments.filter((s) => s.forced).length).toBeGreaterThan(2);
    expect(driver.segments.at(-1)?.forced).toBe(false);
  });

  it('when frames are reordered deeply where the stream ends', () => {
    const driver = new Driver({ dts90k: 20 * SECOND, targetDurationSec: 6 });
    driver.keyEvery = 1e9;
    driver.frame();
    for (let i = 1; i < 25 * 30; i++) driver.frame({ pts90k: driver.dts90k + (i % 4 === 0 ? 4 : 0) * driver.frame90k });
    driver.finish();
    expect(driver.segments.length).toBeGreaterThan(3);
  });

  it('when the time stamps vanish: what comes then is recorded by arrival', () => {
    const driver = new Driver({ dts90k: 20 * SECOND });
    driver.play(10);
    for (let i = 0; i < 25 * 60; i++) driver.frame({ pts90k: NaN, dts90k: NaN });
    driver.play(10);
    driver.finish();
    const untimed = driver.segments.filter((s) => s.pts === undefined);
    expect(untimed.length).toBeGreaterThan(8);
    expect(driver.segments.at(-1)?.pts).toBeDefined();
    const end = driver.segments.at(-1);
    expect((end?.wallMs ?? 0) + (end?.duration90k ?? 0) / 90).toBeCloseTo(driver.clock.nowMs(), -3);
  });
});

describe('signal loss', () => {
  it('closes the partial segment at its last frame, and makes a gap from there to the next keyframe', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(5);
    driver.clock.advance(9000);
    driver.segmenter.silence(driver.position);
    expect(driver.signals).toEqual(['lost']);
    expect(driver.durations).toEqual([4, 1]);
    driver.clock.advance(11_000);
    driver.dts90k = 500 * SECOND; // the encoder started anew
    driver.frames = 0;
    driver.play(5);
    driver.finish();
    expect(driver.signals).toEqual(['lost', 'back']);
    const after = driver.segments[2];
    expect(after?.discontinuity).toBe(true);
    expect(after?.gap).toEqual({ fromMs: T0 + 5000, toMs: T0 + 25_000, reason: 'signal' });
    expect(after?.wallMs).toBe(T0 + 25_000);
  });

  it('makes no gap and no discontinuity when the time stamps simply go on', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(5);
    driver.clock.advance(9000);
    driver.segmenter.silence(driver.position);
    driver.play(1);
    driver.finish();
    const rejoined = driver.segments[2];
    expect(rejoined?.gap).toBeUndefined();
    expect(rejoined?.discontinuity).toBe(false);
    expect(rejoined?.forced).toBe(true);
    expect(rejoined?.head).toBe(true);
    expect(rejoined?.from).toBe(driver.segments[1]?.to);
    expect(driver.durations).toEqual([4, 1, 1]);
  });

  it('loses a stretch shorter than the silence: the jump shows in the time stamps', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(5);
    driver.clock.advance(3000);
    driver.dts90k += 3 * SECOND;
    driver.frames += 75;
    driver.play(6);
    driver.finish();
    expect(driver.durations[1]).toBe(1);
    const after = driver.segments[2];
    expect(after?.gap).toEqual({ fromMs: T0 + 5000, toMs: T0 + 8000, reason: 'signal' });
    expect(after?.discontinuity).toBe(true);
  });

  it('does not call a hole of under a second a jump', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(5);
    driver.clock.advance(800);
    driver.dts90k += 0.8 * SECOND;
    driver.play(5);
    driver.finish();
    expect(driver.segments.every((s) => !s.discontinuity)).toBe(true);
  });

  it.each(['overflow', 'source_switch', 'signal'] as const)('a mark with reason %s gives its reason to the gap', (reason) => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(5);
    driver.segmenter.mark(driver.position, reason);
    driver.clock.advance(2000);
    driver.dts90k += 2 * SECOND;
    driver.frames = 0;
    driver.play(2);
    driver.finish();
    expect(driver.segments.at(-1)?.gap?.reason).toBe(reason);
  });

  it('a mark after which the time stamps go on changes nothing', () => {
    const marked = new Driver();
    const plain = new Driver();
    for (const driver of [marked, plain]) {
      driver.play(5.2);
      if (driver === marked) driver.segmenter.mark(driver.position, 'signal');
      driver.play(7);
      driver.finish();
    }
    expect(marked.segments).toEqual(plain.segments);
  });
});

describe('jumps', () => {
  it('a step back is a discontinuity; without loss the run goes on at the end of the last', () => {
    const driver = new Driver({ dts90k: 100 * SECOND });
    driver.play(5);
    driver.dts90k = 12 * SECOND;
    driver.frames = 0;
    driver.play(5);
    driver.finish();
    const at = driver.segments.findIndex((s) => s.discontinuity);
    const [before, after] = [driver.segments[at - 1], driver.segments[at]];
    expect(after?.gap).toBeUndefined();
    expect(after?.wallMs).toBeCloseTo((before?.wallMs ?? 0) + (before?.duration90k ?? 0) / 90, 3);
    expect(driver.segments.reduce((sum, s) => sum + s.duration90k, 0)).toBe(10 * SECOND);
  });

  it('one wrong time stamp is not a jump', () => {
    const driver = new Driver();
    driver.play(5);
    driver.frame({ pts90k: 5_000_000_000, dts90k: 5_000_000_000 });
    driver.play(5);
    driver.finish();
    expect(driver.segmenter.timestampErrors).toBe(1);
    expect(driver.segments.every((s) => !s.discontinuity)).toBe(true);
  });

  it('a slow frame rate explains itself, and so does sound that runs on', () => {
    const slow = new Driver();
    slow.frame90k = 3 * SECOND;
    slow.keyEvery = 1;
    slow.play(60);
    expect(slow.segments.every((s) => !s.discontinuity)).toBe(true);

    const lecture = new Driver();
    const tick = (): void => {
      lecture.sound(lecture.dts90k);
      lecture.dts90k += 0.2 * SECOND;
      lecture.clock.advance(200);
    };
    lecture.keyEvery = 1;
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 20; i++) {
        lecture.sound(lecture.dts90k);
        lecture.frame();
      }
      for (let i = 0; i < 20; i++) tick();
    }
    lecture.finish();
    expect(lecture.segments.length).toBeGreaterThan(3);
    expect(lecture.segments.every((s) => !s.discontinuity)).toBe(true);
  });

  it('a change of format or program is a discontinuity at the next keyframe, with media time going on', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(1);
    driver.segmenter.program(true, true, false);
    driver.play(2);
    driver.frames = 0;
    driver.frame({ formatChanged: true });
    driver.play(1.96);
    driver.finish();
    expect(driver.segments.map((s) => s.discontinuity)).toEqual([false, true, true]);
    expect(driver.segments.every((s) => s.gap === undefined)).toBe(true);
    expect(driver.durations).toEqual([2, 1, 2]);
  });
});

describe('wall time', () => {
  it('takes the earliest arrival of the first segment as the truth', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.frame({ arrivalMs: driver.clock.nowMs() + 300 });
    driver.play(8);
    expect(driver.segments[0]?.wallMs).toBe(T0);
  });

  it('follows a source whose clock is off by 0.03 %, without a step', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    for (let i = 0; i < 25 * 3600; i++) {
      driver.frame();
      driver.clock.advance(40 * 0.0003);
    }
    let previous = driver.segments[0];
    for (const segment of driver.segments.slice(1)) {
      const step = segment.wallMs - ((previous?.wallMs ?? 0) + (previous?.duration90k ?? 0) / 90);
      expect(Math.abs(step)).toBeLessThanOrEqual(((previous?.duration90k ?? 0) / 90) * 0.0005 + 1e-6);
      previous = segment;
    }
    const end = (previous?.wallMs ?? 0) + (previous?.duration90k ?? 0) / 90;
    expect(Math.abs(driver.clock.nowMs() - end)).toBeLessThan(4100);
    expect(Math.abs((previous?.wallMs ?? 0) - (driver.clock.nowMs() - (driver.clock.nowMs() - end) - 4000))).toBeLessThan(30);
  });

  it('a clock set forward ends the run after ten seconds, with a gap', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(20);
    driver.clock.stepWall(3_600_000);
    driver.play(8);
    expect(driver.segments.every((s) => s.gap === undefined)).toBe(true);
    driver.play(20);
    const gaps = driver.segments.filter((s) => s.gap !== undefined);
    expect(gaps).toHaveLength(1);
    expect(gaps[0]?.gap?.reason).toBe('clock');
    expect(gaps[0]?.discontinuity).toBe(true);
    expect((gaps[0]?.gap?.toMs ?? 0) - (gaps[0]?.gap?.fromMs ?? 0)).toBeCloseTo(3_600_000, -1);
  });

  it('a clock set back does not set recorded time back', () => {
    const driver = new Driver({ dts90k: 12 * SECOND });
    driver.play(20);
    driver.clock.stepWall(-3_600_000);
    driver.play(40);
    const walls = driver.segments.map((s) => s.wallMs);
    expect(walls).toEqual([...walls].sort((a, b) => a - b));
    expect(driver.segments.every((s) => !s.discontinuity)).toBe(true);
    expect(driver.segmenter.clockBehindMs).toBeCloseTo(3_600_000, -1);
  });

  it('a restart begins after what is recorded: a gap, or with the clock behind, at its end', () => {
    const later = new Driver({ lastEndMs: T0 - 60_000, targetDurationSec: 6 });
    later.play(6);
    expect(later.segments[0]).toMatchObject({ discontinuity: true, gap: { fromMs: T0 - 60_000, toMs: T0, reason: 'restart' } });
    expect(later.lives).toEqual([]);
    const behind = new Driver({ lastEndMs: T0 + 60_000 });
    behind.play(6);
    expect(behind.segments[0]).toMatchObject({ discontinuity: true, gap: undefined, wallMs: T0 + 60_000 });
  });
});

describe('without time stamps', () => {
  it('cuts by arrival', () => {
    const driver = new Driver();
    for (let i = 0; i < 25 * 60; i++) driver.frame({ pts90k: NaN, dts90k: NaN });
    driver.finish();
    expect(driver.segments.length).toBeGreaterThan(5);
    expect(driver.segments.every((s) => s.pts === undefined)).toBe(true);
    for (const duration of driver.durations) expect(duration).toBeLessThan(8);
  });

  it('records a program of data alone', () => {
    const driver = new Driver();
    driver.segmenter.program(false, false, false);
    for (let i = 0; i < 600; i++) {
      driver.position += UNIT_BYTES;
      driver.segmenter.pushed(driver.position, driver.clock.nowMs());
      driver.clock.advance(100);
    }
    driver.finish();
    expect(driver.segments.length).toBeGreaterThan(5);
    expect(driver.segments.some((s) => s.forced)).toBe(false);
  });

  it('records the sound when the video of the PMT never comes', () => {
    const driver = new Driver();
    for (let i = 0; i < 600; i++) {
      driver.sound(driver.dts90k);
      driver.dts90k += 0.1 * SECOND;
      driver.clock.advance(100);
    }
    driver.finish();
    expect(driver.segments.length).toBeGreaterThan(4);
    expect(driver.segments.every((s) => s.forced && s.head)).toBe(true);
  });
});

describe('whatever comes', () => {
  it('begins and ends in order, never empty, with durations above zero and wall time that does not go back', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ play: fc.double({ min: 0.1, max: 9, noNaN: true }) }) },
      fc.record({ jump: fc.integer({ min: -20, max: 20 }) }),
      fc.record({ wait: fc.integer({ min: 0, max: 20_000 }) }),
      fc.constant('silence' as const),
      fc.constant('mark' as const),
      fc.constant('program' as const),
      fc.record({ wrong: fc.integer({ min: 0, max: 2 ** 33 - 1 }) }),
      fc.record({ wall: fc.integer({ min: -100_000, max: 100_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const driver = new Driver({ dts90k: PTS_MODULUS - 20 * SECOND });
        for (const action of steps) {
          if (action === 'silence') driver.segmenter.silence(driver.position);
          else if (action === 'mark') driver.segmenter.mark(driver.position, 'overflow');
          else if (action === 'program') driver.segmenter.program(true, true, true);
          else if ('play' in action) driver.play(action.play);
          else if ('jump' in action) driver.dts90k += action.jump * SECOND;
          else if ('wait' in action) driver.clock.advance(action.wait);
          else if ('wall' in action) driver.clock.stepWall(action.wall);
          else driver.frame({ pts90k: action.wrong, dts90k: action.wrong });
        }
        driver.finish();
        expect(driver.open).toBe(false);
        let endMs = -Infinity;
        for (const segment of driver.segments) {
          expect(segment.duration90k).toBeGreaterThan(0);
          expect(segment.wallMs).toBeGreaterThanOrEqual(endMs - (segment.duration90k / 90) * 0.0005 - 20);
          if (segment.gap) expect(segment.discontinuity).toBe(true);
          endMs = segment.wallMs;
        }
      }),
      { numRuns: 300 },
    );
  });
});
