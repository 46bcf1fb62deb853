import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hitJoined, joinByPixel, scaleOf, toMs, toX, type Span } from './scale';

const scale = scaleOf({ fromMs: 1_000_000, toMs: 2_000_000 }, 1000);

const spans: fc.Arbitrary<Span[]> = fc
  .array(fc.record({ skip: fc.integer({ min: 0, max: 20_000 }), length: fc.integer({ min: 1, max: 30_000 }) }), { maxLength: 200 })
  .map((steps) => {
    let at = 900_000;
    return steps.map(({ skip, length }) => {
      const fromMs = at + skip;
      at = fromMs + length;
      return { fromMs, toMs: at };
    });
  });

describe('time to pixels (G6)', () => {
  it('goes there and back', () => {
    expect(toX(scale, 1_500_000)).toBe(500);
    expect(toMs(scale, 500)).toBe(1_500_000);
    // A line that has no width yet divides by nothing.
    expect(Number.isFinite(scaleOf(scale.view, 0).perPixel)).toBe(true);
  });

  it('draws every span that is seen, none thinner than it may be, none over another, none shorter than it is', () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 6 }), (all, least) => {
        const joined = joinByPixel(all, scale, least);
        for (const [i, { x0, x1, first, last }] of joined.entries()) {
          expect(x1 - x0).toBeGreaterThanOrEqual(least);
          if (i > 0) expect(x0).toBeGreaterThanOrEqual(joined[i - 1]?.x1 ?? 0);
          expect(last).toBeGreaterThanOrEqual(first);
        }
        for (const [i, { fromMs, toMs: endMs }] of all.entries()) {
          if (endMs < scale.view.fromMs || fromMs > scale.view.toMs) continue;
          const box = joined.find(({ first, last }) => i >= first && i <= last);
          expect(box).toBeDefined();
          expect(box?.x0).toBeLessThanOrEqual(Math.max(-8, toX(scale, fromMs)));
          expect(box?.x1).toBeGreaterThanOrEqual(Math.min(1008, toX(scale, endMs)));
        }
      }),
    );
  });

  it('keeps a thousand gaps of a millisecond apart where there is room, and none is lost where there is not', () => {
    const gaps = Array.from({ length: 1000 }, (_, i) => ({ fromMs: 1_000_000 + i * 1000, toMs: 1_000_001 + i * 1000 }));
    const apart = joinByPixel(gaps, scaleOf(scale.view, 4000), 2);
    expect(apart).toHaveLength(1000);
    const close = joinByPixel(gaps, scaleOf(scale.view, 500), 2);
    expect(close.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(1000);
  });

  it('cuts what reaches beyond the edges', () => {
    expect(joinByPixel([{ fromMs: 0, toMs: 1e12 }], scale, 2)).toEqual([{ x0: -8, x1: 1008, first: 0, last: 0 }]);
    expect(joinByPixel([{ fromMs: 0, toMs: 999_999 }], scale, 2)).toEqual([]);
  });

  it('finds what is under a pixel, or the nearest that was just missed', () => {
    const joined = joinByPixel(
      [
        { fromMs: 1_100_000, toMs: 1_100_001 },
        { fromMs: 1_106_000, toMs: 1_150_000 },
      ],
      scale,
      2,
    );
    expect(hitJoined(joined, 98, 4)?.first).toBe(0);
    expect(hitJoined(joined, 103, 4)?.first).toBe(0);
    expect(hitJoined(joined, 105, 4)?.first).toBe(1);
    expect(hitJoined(joined, 130, 4)?.first).toBe(1);
    expect(hitJoined(joined, 90, 4)).toBeUndefined();
  });
});
