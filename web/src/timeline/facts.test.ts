import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GapReason, TimelineAnswer } from '../api';
import { composeFacts, gapAt, knownOf, readAnswer, without, type Answer, type GapFact } from './facts';

const iso = (ms: number): string => new Date(ms).toISOString();
const gap = (fromMs: number, toMs: number, count = 1, reason: GapReason = 'signal'): GapFact => ({ fromMs, toMs, reason, count });

function answer(fromMs: number, toMs: number, gaps: readonly GapFact[] = [], more: Partial<Answer> = {}): Answer {
  return { fromMs, toMs, oldestMs: 0, newestMs: 10_000, isExact: true, gaps, errors: [], ...more };
}

describe('what is known of a stretch (G6)', () => {
  it('is read from an answer', () => {
    const told: TimelineAnswer = {
      stream_code: 'news',
      from: iso(0),
      to: iso(5000),
      oldest: iso(0),
      newest: iso(4000),
      spans: [{ from: iso(0), to: iso(1000) }],
      gaps: [{ from: iso(1000), to: iso(2000), reason: 'disk', count: 1 }],
      errors: [{ from: iso(3000), to: iso(4000), count: 1, kinds: { continuity: 3, sync_bytes: 189 } }],
    };
    const read = readAnswer(told, 0, 5000, 256);
    expect(read).toMatchObject({ oldestMs: 0, newestMs: 4000, isExact: true });
    expect(read.gaps).toEqual([gap(1000, 2000, 1, 'disk')]);
    expect(read.errors[0]?.packets).toBe(5);
    // As many errors as were asked for: some may be told as one.
    expect(readAnswer(told, 0, 5000, 1).isExact).toBe(false);
    expect(readAnswer({ ...told, gaps: told.gaps.map((one) => ({ ...one, count: 2 })) }, 0, 5000, 256).isExact).toBe(false);
    const nothing = readAnswer({ ...told, oldest: null, newest: null, gaps: [], errors: [] }, 0, 5000, 256);
    expect(knownOf(nothing)).toEqual({ fromMs: 0, toMs: 0 });
  });

  it('is known no further than the newest media then', () => {
    const { known } = composeFacts([answer(0, 20_000, [], { newestMs: 7000 })], { fromMs: 1000, toMs: 20_000 });
    expect(known).toEqual([{ fromMs: 1000, toMs: 7000 }]);
  });

  it('of each moment the better answer is heard', () => {
    const fine = answer(2000, 4000, [gap(2100, 2200), gap(2300, 2400)]);
    const coarse = answer(0, 10_000, [gap(1000, 5000, 7), gap(6000, 6500)]);
    const { gaps, known } = composeFacts([fine, coarse], { fromMs: 0, toMs: 10_000 });
    expect(gaps).toEqual([gap(1000, 2000, 7), gap(2100, 2200), gap(2300, 2400), gap(4000, 5000, 7), gap(6000, 6500)]);
    expect(known).toEqual([{ fromMs: 0, toMs: 10_000 }]);
  });

  it('a gap across the border of two answers is one, and as long as it is', () => {
    const long = gap(3000, 8000);
    const { gaps } = composeFacts([answer(0, 5000, [long]), answer(5000, 10_000, [long])], { fromMs: 0, toMs: 10_000 });
    expect(gaps).toEqual([long]);
    const edge = composeFacts([answer(4000, 5000, [long])], { fromMs: 4000, toMs: 5000 });
    expect(edge.gaps).toEqual([long]);
  });

  it('errors on a border are counted once', () => {
    const error = { fromMs: 4500, toMs: 5700, packets: 3, kinds: { continuity: 3 } };
    const answers = [answer(0, 5000, [], { errors: [error] }), answer(5000, 10_000, [], { errors: [error] })];
    expect(composeFacts(answers, { fromMs: 0, toMs: 10_000 }).errors).toEqual([error]);
  });

  it('loses no gap, whatever answers there are and in which order', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 9999 }), { minLength: 2, maxLength: 60 });
    const pieces = fc.array(fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 1, max: 6000 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(times, pieces, (moments, ranges) => {
        const sorted = [...moments].sort((a, b) => a - b);
        const truth: GapFact[] = [];
        for (let i = 0; i + 1 < sorted.length; i += 2) truth.push(gap(sorted[i] ?? 0, sorted[i + 1] ?? 0));
        const answers = ranges.map(([fromMs, length]) => {
          const toMs = Math.min(10_000, fromMs + length);
          return answer(
            fromMs,
            toMs,
            truth.filter((one) => one.toMs > fromMs && one.fromMs < toMs),
          );
        });
        const { gaps, known } = composeFacts(answers, { fromMs: 0, toMs: 10_000 });
        const seen = truth.filter((one) => known.some(({ fromMs, toMs }) => one.toMs > fromMs && one.fromMs < toMs));
        expect(gaps).toEqual(seen);
        for (const { fromMs, toMs } of answers) expect(known.some((span) => span.fromMs <= fromMs && span.toMs >= toMs)).toBe(true);
      }),
    );
  });

  it('takes spans from spans', () => {
    expect(without([{ fromMs: 0, toMs: 10 }], { fromMs: 3, toMs: 5 })).toEqual([
      { fromMs: 0, toMs: 3 },
      { fromMs: 5, toMs: 10 },
    ]);
    expect(without([{ fromMs: 0, toMs: 10 }], { fromMs: -5, toMs: 15 })).toEqual([]);
    expect(without([{ fromMs: 0, toMs: 10 }], { fromMs: 10, toMs: 15 })).toEqual([{ fromMs: 0, toMs: 10 }]);
  });

  it('finds the gap at a moment: its end is media again', () => {
    const gaps = [gap(100, 200), gap(300, 400)];
    expect(gapAt(gaps, 300)).toBe(gaps[1]);
    expect(gapAt(gaps, 400)).toBeUndefined();
    expect(gapAt(gaps, 250)).toBeUndefined();
  });
});
