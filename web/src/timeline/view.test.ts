import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_VIEW_MS, MIN_VIEW_MS, type View } from './contract';
import { clampView, followView, isSeen, longestSpan, moveView, spanOf, wholeView, zoomView, type Limits } from './view';

const NOW = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const limits: fc.Arbitrary<Limits> = fc.record({
  oldestMs: fc.option(
    fc.integer({ min: 0, max: 90 * DAY }).map((ago) => NOW - ago),
    { nil: undefined },
  ),
  endMs: fc.constant(NOW),
});
const view: fc.Arbitrary<View> = fc
  .record({ fromMs: fc.integer({ min: NOW - 120 * DAY, max: NOW + DAY }), spanMs: fc.integer({ min: 1000, max: 60 * DAY }) })
  .map(({ fromMs, spanMs }) => ({ fromMs, toMs: fromMs + spanMs }));

function expectWithin(seen: View, { oldestMs, endMs }: Limits): void {
  const span = spanOf(seen);
  expect(span).toBeGreaterThanOrEqual(MIN_VIEW_MS - 1e-3);
  expect(span).toBeLessThanOrEqual(MAX_VIEW_MS + 1e-3);
  expect(seen.toMs).toBeLessThanOrEqual(endMs + 0.1 * span + 1);
  // A short archive is seen with what was before it, at the right.
  if (oldestMs !== undefined && span < (endMs - oldestMs) / 0.8) expect(seen.fromMs).toBeGreaterThanOrEqual(oldestMs - 0.1 * span - 1);
}

describe('what is seen of time (G6)', () => {
  it('stays within its limits, however it is zoomed, moved and followed', () => {
    fc.assert(
      fc.property(
        limits,
        view,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.integer({ min: -DAY, max: DAY }),
        (within, seen, factor, byMs) => {
          expectWithin(clampView(seen, within), within);
          expectWithin(zoomView(seen, factor, seen.fromMs + byMs, within), within);
          expectWithin(moveView(seen, byMs, within), within);
          expectWithin(wholeView(within), within);
          const start = clampView(seen, within);
          expectWithin(followView(start, NOW - Math.abs(byMs), within), within);
        },
      ),
    );
  });

  it('keeps what is under the pointer where it is', () => {
    const within = { oldestMs: NOW - 20 * DAY, endMs: NOW };
    const before = { fromMs: NOW - 10 * DAY, toMs: NOW - 10 * DAY + 10 * HOUR };
    const about = before.fromMs + 3 * HOUR;
    const after = zoomView(before, 0.5, about, within);
    expect(spanOf(after)).toBeCloseTo(5 * HOUR, 3);
    expect((about - after.fromMs) / spanOf(after)).toBeCloseTo(0.3, 9);
  });

  it('shows ten seconds at least and thirty days at most', () => {
    const within = { oldestMs: NOW - 90 * DAY, endMs: NOW };
    const seen = { fromMs: NOW - 50 * DAY, toMs: NOW - 49 * DAY };
    expect(spanOf(zoomView(seen, 1e-9, seen.fromMs, within))).toBeCloseTo(MIN_VIEW_MS, 3);
    expect(spanOf(zoomView(seen, 1e9, seen.fromMs, within))).toBeCloseTo(MAX_VIEW_MS, 3);
    expect(spanOf(wholeView(within))).toBe(MAX_VIEW_MS);
    expect(isSeen(wholeView(within), NOW)).toBe(true);
  });

  it('lets an archive of a minute grow into ten', () => {
    const within = { oldestMs: NOW - 60_000, endMs: NOW };
    expect(longestSpan(within)).toBe(600_000);
    const seen = clampView({ fromMs: NOW - HOUR, toMs: NOW }, within);
    expect(seen.toMs).toBe(NOW + 60_000);
    expect(isSeen(seen, within.oldestMs)).toBe(true);
    const all = wholeView(within);
    expect(spanOf(all)).toBeCloseTo(60_000 / 0.88, 3);
    expect(isSeen(all, within.oldestMs) && isSeen(all, NOW)).toBe(true);
    // What plays at its end does not move it.
    expect(followView(all, NOW - 1, within).fromMs).toBeCloseTo(all.fromMs, 2);
  });

  it('sees something where nothing is recorded', () => {
    expectWithin(wholeView({ oldestMs: undefined, endMs: NOW }), { oldestMs: undefined, endMs: NOW });
  });

  it('follows: stands while the position is seen, glides on with it, jumps after it', () => {
    const within = { oldestMs: NOW - 20 * DAY, endMs: NOW };
    const seen = { fromMs: NOW - 10 * HOUR, toMs: NOW - 9 * HOUR };
    expect(followView(seen, seen.fromMs + 0.5 * HOUR, within)).toBe(seen);
    const glided = followView(seen, seen.fromMs + 0.9 * HOUR, within);
    expect(glided.fromMs - seen.fromMs).toBeCloseTo(0.02 * HOUR, 3);
    const jumped = followView(seen, NOW - 15 * HOUR, within);
    expect(NOW - 15 * HOUR - jumped.fromMs).toBeCloseTo(0.5 * HOUR, 3);
  });
});
