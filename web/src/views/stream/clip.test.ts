import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipOf, fieldText, gapsWithin, inOrder, nameProblem, suggestedName, withMark } from './clip';

const START = Date.UTC(2026, 10, 22, 3, 12, 7, 345);
const gap = (fromMs: number, toMs: number, count = 1) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
  reason: 'signal' as const,
  count,
});

describe('G9: marks', () => {
  it('make a clip when both are there, and lie apart', () => {
    expect(clipOf({})).toBeUndefined();
    expect(clipOf({ inMs: 5 })).toBeUndefined();
    expect(clipOf({ outMs: 5 })).toBeUndefined();
    expect(clipOf({ inMs: 5, outMs: 5 })).toBeUndefined();
    expect(clipOf({ inMs: 5, outMs: 6 })).toEqual({ fromMs: 5, toMs: 6 });
    expect(clipOf({ inMs: 6, outMs: 5 })).toEqual({ fromMs: 5, toMs: 6 });
  });

  it('change places where they come to lie the wrong way round', () => {
    expect(withMark({ inMs: 10, outMs: 20 }, 'in', 30)).toEqual({ inMs: 20, outMs: 30 });
    expect(withMark({ inMs: 10, outMs: 20 }, 'out', 5)).toEqual({ inMs: 5, outMs: 10 });
    expect(withMark({ inMs: 10, outMs: 20 }, 'in', 15)).toEqual({ inMs: 15, outMs: 20 });
    expect(withMark({ outMs: 20 }, 'in', 30)).toEqual({ inMs: 20, outMs: 30 });
    expect(withMark({}, 'out', 30.4)).toEqual({ outMs: 30 });
    // as they were dragged past each other
    expect(withMark({ inMs: 20, outMs: 10 }, 'in', 12)).toEqual({ inMs: 12, outMs: 20 });
  });

  it('are in order whatever was set, and hold what was set last', () => {
    const mark = fc.option(fc.integer({ min: 0, max: 1000 }), { nil: undefined });
    fc.assert(
      fc.property(
        mark,
        mark,
        fc.constantFrom('in' as const, 'out' as const),
        fc.integer({ min: 0, max: 1000 }),
        (inMs, outMs, name, ms) => {
          const found = withMark({ inMs, outMs }, name, ms);
          expect([found.inMs, found.outMs]).toContain(ms);
          if (found.inMs !== undefined && found.outMs !== undefined) expect(found.inMs).toBeLessThanOrEqual(found.outMs);
          expect(inOrder(found)).toEqual(found);
        },
      ),
    );
  });
});

describe('G9: what is missing in a clip', () => {
  const clip = { fromMs: START, toMs: START + 60_000 };

  it('is what its gaps have of it', () => {
    expect(gapsWithin({ gaps: [] }, clip)).toEqual({ count: 0, lostMs: 0 });
    const gaps = [gap(START - 5000, START + 2000), gap(START + 10_000, START + 13_000), gap(START + 59_000, START + 99_000)];
    expect(gapsWithin({ gaps }, clip)).toEqual({ count: 3, lostMs: 6000 });
  });

  it('is nothing of those that only touch it', () => {
    expect(gapsWithin({ gaps: [gap(START - 5000, START), gap(START + 60_000, START + 61_000)] }, clip)).toEqual({ count: 0, lostMs: 0 });
  });

  it('counts those that are told together', () => {
    expect(gapsWithin({ gaps: [gap(START + 1000, START + 9000, 4)] }, clip)).toEqual({ count: 4, lostMs: 8000 });
  });
});

describe('G9: names', () => {
  it('are suggested so that the server takes them', () => {
    expect(suggestedName({ fromMs: START, toMs: START + 1 })).toBe('clip-20261122-031207');
    expect(nameProblem(suggestedName({ fromMs: START, toMs: START + 1 }))).toBeUndefined();
  });

  it('are told what is wrong with them', () => {
    expect(nameProblem('')).toBe('It needs a name.');
    expect(nameProblem('a'.repeat(65))).toBe('At most 64 characters.');
    expect(nameProblem('a'.repeat(64))).toBeUndefined();
    for (const name of ['a b', 'é', 'a/b', '../a', 'a.b']) expect(nameProblem(name)).toContain('only');
  });
});

it('a moment in a field is told to a tenth, in the zone', () => {
  expect(fieldText(START, 'utc')).toBe('2026-11-22 03:12:07.3');
  const local = fieldText(START, 'local');
  expect(local).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:07\.3$/);
  // without a zone, as here
  expect(new Date(local.replace(' ', 'T')).getTime()).toBe(START - 45);
});
