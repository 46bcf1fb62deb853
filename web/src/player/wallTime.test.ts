import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endWall, secAt, wallAt, type TimedFragment } from './wallTime';

const INF = [['INF', '4.000000']];
/** Four seconds each from 12:00:00 on; a gap of a minute before the third, whose media time goes on all the same (G7). */
const BEGIN = Date.parse('2026-11-22T12:00:00.060Z');
const FRAGMENTS: readonly TimedFragment[] = [
  { sn: 7, start: 0, duration: 4, programDateTime: BEGIN, tagList: INF },
  { sn: 8, start: 4, duration: 3.84, programDateTime: BEGIN + 4000, tagList: INF },
  { sn: 9, start: 8, duration: 4.288, programDateTime: BEGIN + 68_000, tagList: INF },
];
const NONE = new Map<number, number>();
/** The sound begins 140 ms before the pictures. */
const LOADED = new Map([
  [7, 0.14],
  [8, 4.14],
  [9, 8.14],
]);

describe('wallAt', () => {
  it('counts from the first picture of the fragment', () => {
    expect(wallAt(FRAGMENTS, NONE, 5.5)).toBe(BEGIN + 5500);
    expect(wallAt(FRAGMENTS, LOADED, 5.5)).toBeCloseTo(BEGIN + 5360, 3);
    expect(wallAt(FRAGMENTS, LOADED, 8.14)).toBe(BEGIN + 68_000);
    expect(wallAt(FRAGMENTS, LOADED, 8.12)).toBeCloseTo(BEGIN + 7980, 3);
  });

  it('is not earlier than the first, and nothing without fragments or dates', () => {
    expect(wallAt(FRAGMENTS, LOADED, 0)).toBe(BEGIN);
    expect(wallAt([], NONE, 0)).toBeUndefined();
    expect(wallAt([{ sn: 1, start: 0, duration: 4, programDateTime: null, tagList: [] }], NONE, 1)).toBeUndefined();
  });
});

describe('secAt', () => {
  it('finds a moment, a little behind where its frame begins', () => {
    expect(secAt(FRAGMENTS, NONE, BEGIN + 5500)).toBeCloseTo(5.501, 6);
    expect(secAt(FRAGMENTS, LOADED, BEGIN + 5500)).toBeCloseTo(5.641, 6);
  });

  it('finds the last frames of a fragment, however long hls.js takes it for', () => {
    expect(secAt(FRAGMENTS, LOADED, BEGIN + 7960)).toBeCloseTo(8.101, 6);
  });

  it('within a gap goes to the first frame after it', () => {
    expect(secAt(FRAGMENTS, LOADED, BEGIN + 30_000)).toBeCloseTo(8.141, 6);
  });

  it('tells what is earlier and later than all of it', () => {
    expect(secAt(FRAGMENTS, NONE, BEGIN - 1)).toBe('before');
    expect(secAt(FRAGMENTS, NONE, BEGIN + 72_000)).toBe('after');
    expect(secAt([], NONE, BEGIN)).toBe('after');
  });

  it('and back: shows the frame that was told, whatever the fragments (fuzzed)', () => {
    const shape = fc.array(
      fc.record({ ms: fc.integer({ min: 400, max: 10_000 }), gap: fc.option(fc.integer({ min: 1000, max: 1e8 }), { freq: 5 }) }),
      {
        minLength: 1,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), fc.double({ min: 0, max: 0.3, noNaN: true }), (pieces, pick, into, late) => {
        let [start, wall] = [0, BEGIN];
        const fragments = pieces.map(({ ms, gap }, sn) => {
          wall += gap ?? 0;
          const fragment = { sn, start, duration: ms / 1000, programDateTime: wall, tagList: [] };
          [start, wall] = [start + ms / 1000, wall + ms];
          return fragment;
        });
        const origins = new Map(fragments.map(({ sn, start: begins }) => [sn, begins + late]));
        const fragment = fragments[pick % fragments.length];
        if (!fragment) throw new Error('none');
        const ms = fragment.programDateTime + (into % Math.round(fragment.duration * 1000));
        const sec = secAt(fragments, origins, ms);
        expect(sec).toBeTypeOf('number');
        expect(wallAt(fragments, origins, sec as number)).toBeGreaterThanOrEqual(ms);
        expect(wallAt(fragments, origins, sec as number)).toBeLessThan(ms + 1.01);
      }),
    );
  });
});

describe('endWall', () => {
  it('is where the last frame ends', () => {
    expect(endWall(FRAGMENTS)).toBe(BEGIN + 72_000);
    expect(endWall([])).toBeUndefined();
  });
});
