import { describe, expect, it } from 'vitest';
import type { Keep } from '../api';
import type { ErrorFact, GapFact } from './facts';
import { rowsOf } from './rows';
import { scaleOf, toX } from './scale';
import { handleAt, movedMarks, sceneOf, type Scene, type SceneInput } from './scene';
import { pictureMoment, stepForPixels, tilesOf } from './strip';
import { errorsText, gapText, tellPixel, valueText } from './words';

const NOW = Date.UTC(2026, 10, 22, 3, 12, 7);
const MIN = 60_000;
const scale = scaleOf({ fromMs: NOW - 50 * MIN, toMs: NOW + 10 * MIN }, 1200);

const gap = (fromMin: number, toMin: number, more: Partial<GapFact> = {}): GapFact => ({
  fromMs: NOW + fromMin * MIN,
  toMs: NOW + toMin * MIN,
  reason: 'signal',
  count: 1,
  ...more,
});

function scene(input: Partial<SceneInput> = {}): Scene {
  return sceneOf({
    scale,
    rows: rowsOf(1200, true),
    facts: { known: [{ fromMs: NOW - 60 * MIN, toMs: NOW }], gaps: [], errors: [] },
    oldestMs: NOW - 600 * MIN,
    newestMs: NOW,
    edgeMs: NOW,
    openGap: undefined,
    nowMs: NOW,
    keeps: [],
    marks: {},
    positionMs: NOW - 10 * MIN,
    pendingMs: undefined,
    isLive: false,
    zone: 'utc',
    ...input,
  });
}

describe('what is to be drawn (G6)', () => {
  it('media up to where it ends, and nothing after', () => {
    const { media, unknown, liveX } = scene();
    expect(media).toMatchObject([{ x0: -8, x1: 1000 }]);
    expect(unknown).toEqual([]);
    expect(liveX).toBe(1000);
  });

  it('the newest stretch, which events tell of, is media without asking', () => {
    const { media, liveX } = scene({ edgeMs: NOW + MIN, nowMs: NOW + MIN });
    expect(media).toMatchObject([{ x0: -8, x1: 1020 }]);
    expect(liveX).toBe(1020);
  });

  it('what is not known of the archive is neither media nor nothing', () => {
    const { media, unknown } = scene({ facts: { known: [{ fromMs: NOW - 20 * MIN, toMs: NOW }], gaps: [], errors: [] } });
    expect(media).toMatchObject([{ x0: 600, x1: 1000 }]);
    expect(unknown).toMatchObject([{ x0: -8, x1: 600 }]);
  });

  it('nor is what ends before it is known where it begins', () => {
    const { media, unknown } = scene({ oldestMs: undefined, newestMs: undefined, facts: { known: [], gaps: [], errors: [] } });
    expect(media).toEqual([]);
    expect(unknown).toMatchObject([{ x0: 0, x1: 1000 }]);
  });

  it('nothing before the oldest', () => {
    const { media, gaps } = scene({
      oldestMs: NOW - 30 * MIN,
      facts: { known: [{ fromMs: NOW - 60 * MIN, toMs: NOW }], gaps: [gap(-40, -35)], errors: [] },
    });
    expect(media).toMatchObject([{ x0: 400, x1: 1000 }]);
    // Pruned, though an answer of before still tells it.
    expect(gaps).toEqual([]);
  });

  it('the gap that goes on grows up to now', () => {
    const openGap = gap(0, 2, { isOpen: true });
    const { gapBoxes, gaps, media, liveX } = scene({ openGap, nowMs: NOW + 2 * MIN });
    expect(gaps).toEqual([openGap]);
    expect(gapBoxes).toMatchObject([{ x0: 1000, x1: 1040 }]);
    expect(media[0]?.x1).toBe(1040);
    expect(liveX).toBe(1040);
  });

  it('an archive that ended has no live edge, an empty one nothing at all', () => {
    expect(scene({ nowMs: NOW + 5 * MIN }).liveX).toBeUndefined();
    const empty = scene({
      oldestMs: undefined,
      newestMs: undefined,
      edgeMs: undefined,
      positionMs: undefined,
      facts: { known: [], gaps: [], errors: [] },
    });
    expect(empty).toMatchObject({ media: [], unknown: [], gapBoxes: [], position: undefined, liveX: undefined, endMs: undefined });
  });

  it('gaps at the edges of the view and of no width are seen', () => {
    const facts = {
      known: [{ fromMs: NOW - 60 * MIN, toMs: NOW }],
      gaps: [gap(-51, -50), gap(-20, -20 + 1 / 600), gap(-1, 0)],
      errors: [],
    };
    const { gapBoxes } = scene({ facts });
    expect(gapBoxes).toHaveLength(3);
    for (const { x0, x1 } of gapBoxes) expect(x1 - x0).toBeGreaterThanOrEqual(2);
  });

  it('marks of errors are the higher the more there are', () => {
    const error = (min: number, packets: number): ErrorFact => ({
      fromMs: NOW + min * MIN,
      toMs: NOW + min * MIN + 4000,
      packets,
      kinds: { continuity: packets },
    });
    const facts = { known: [], gaps: [], errors: [error(-40, 1), error(-30, 100), error(-20, 1e6), error(-10, 50), error(-9.99, 50)] };
    const shares = scene({ facts }).errorBoxes.map(({ share }) => share);
    expect(shares).toHaveLength(4);
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares[1]).toBeGreaterThan(shares[0] ?? 1);
    expect(shares[2]).toBe(1);
    expect(shares[3]).toBeCloseTo(shares[1] ?? 0, 9);
  });

  it('the date of the left edge is told in full where there is room', () => {
    expect(scene().date).toBe('Sun 22 Nov 2026 UTC');
    expect(scene({ scale: scaleOf(scale.view, 340) }).date).toBe('22 Nov');
  });

  it('keeps that are seen, a damaged one without times is not', () => {
    const keep = (name: string, from: string | null): Keep =>
      ({ name, started_at: from, last_segment_at: from === null ? null : new Date(NOW).toISOString() }) as Keep;
    const { keeps } = scene({ keeps: [keep('final', new Date(NOW - 5 * MIN).toISOString()), keep('broken', null)] });
    expect(keeps).toMatchObject([{ name: 'final', x0: 900, x1: 1000 }]);
  });
});

describe('marks', () => {
  it('are held within twelve pixels', () => {
    expect(handleAt({ inX: 100, outX: 300 }, 88)).toBe('in');
    expect(handleAt({ inX: 100, outX: 300 }, 312)).toBe('out');
    expect(handleAt({ inX: 100, outX: 300 }, 200)).toBeUndefined();
    expect(handleAt({ inX: 100, outX: undefined }, 100)).toBe('in');
    expect(handleAt({ inX: undefined, outX: undefined }, 100)).toBeUndefined();
    expect(handleAt({ inX: 100, outX: 100 }, 96)).toBe('in');
    expect(handleAt({ inX: 100, outX: 100 }, 104)).toBe('out');
  });

  it('do not pass each other', () => {
    expect(movedMarks({ inMs: 1000, outMs: 5000 }, 'in', 9000)).toEqual({ inMs: 4900, outMs: 5000 });
    expect(movedMarks({ inMs: 1000, outMs: 5000 }, 'out', 0)).toEqual({ inMs: 1000, outMs: 1100 });
    expect(movedMarks({ outMs: 5000 }, 'out', 70)).toEqual({ outMs: 70 });
  });
});

describe('pictures along the line', () => {
  it('are snapped to steps of two, never more than fit, and shared by the next zoom', () => {
    const known = [{ fromMs: NOW - 600 * MIN, toMs: NOW }];
    for (let perPixel = 8; perPixel < 2e6; perPixel *= 1.3) {
      const at = scaleOf({ fromMs: NOW - 900 * perPixel, toMs: NOW + 100 * perPixel }, 1000);
      const tiles = tilesOf(at, known, [], NOW - 600 * MIN, NOW);
      expect(tiles.length).toBeLessThanOrEqual(15);
      for (const [i, { x }] of tiles.entries()) if (i > 0) expect(x - (tiles[i - 1]?.x ?? 0)).toBeGreaterThanOrEqual(74);
      expect(Math.log2(stepForPixels(at, 76) / 1000) % 1).toBe(0);
    }
    expect(stepForPixels(scaleOf({ fromMs: 0, toMs: 10_000 }, 1280), 4)).toBe(1000);
  });

  it('are of media alone', () => {
    const known = [{ fromMs: NOW - 30 * MIN, toMs: NOW }];
    const tiles = tilesOf(scale, known, [gap(-20, -10)], NOW - 600 * MIN, NOW);
    expect(tiles.length).toBeGreaterThan(0);
    for (const { atMs } of tiles) {
      expect(atMs).toBeGreaterThanOrEqual(NOW - 30 * MIN);
      expect(atMs < NOW - 20 * MIN || atMs >= NOW - 10 * MIN).toBe(true);
      expect(atMs).toBeLessThan(NOW);
    }
  });

  it('the pointer has one where there is media, and it is of this side of a gap', () => {
    const moment = (ms: number, gaps: readonly GapFact[]): number | undefined =>
      pictureMoment(scale, toX(scale, ms), gaps, NOW - 600 * MIN, NOW);
    expect(moment(NOW - 10 * MIN, [gap(-11, -9)])).toBeUndefined();
    expect(moment(NOW + MIN, [])).toBeUndefined();
    expect(moment(NOW - 601 * MIN, [])).toBeUndefined();
    const after = NOW - 10 * MIN + 1000;
    expect(moment(after, [{ ...gap(-12, -10), toMs: after - 500 }])).toBeGreaterThanOrEqual(after - 16_000);
    for (let ms = NOW - 9 * MIN; ms < NOW; ms += 7777) {
      const found = moment(ms, [gap(-10, -8.5)]);
      if (ms >= NOW - 8.5 * MIN) expect(found).toBeGreaterThanOrEqual(NOW - 8.5 * MIN);
      else expect(found).toBeUndefined();
    }
  });
});

describe('in words', () => {
  it('gaps and errors', () => {
    expect(gapText(gap(0, 2 + 5 / 60))).toBe('gap: no signal, 2 min 5 s');
    expect(gapText(gap(0, 2, { isOpen: true }))).toBe('gap: no signal, 2 min so far');
    expect(gapText(gap(0, 60, { count: 12, reason: 'disk' }))).toBe('12 gaps within 1 h, the longest: it could not be stored');
    expect(errorsText([{ fromMs: 0, toMs: 1, packets: 3, kinds: { continuity: 2000, scrambled: 0, lost_bytes: 188 } }])).toBe(
      'errors: 2,000 continuity, 188 bytes lost',
    );
  });

  it('the position: media, a gap, live, nothing', () => {
    const at = scene({ facts: { known: [], gaps: [gap(-30, -27)], errors: [] } });
    expect(valueText(at, NOW, false, 'utc')).toBe('Sun 22 Nov 2026, 03:12:07, media');
    expect(valueText(at, NOW, true, 'utc')).toBe('Sun 22 Nov 2026, 03:12:07, live');
    expect(valueText(at, NOW - 28 * MIN, false, 'utc')).toBe('Sun 22 Nov 2026, 02:44:07, gap: no signal, 3 min');
    expect(valueText(at, NOW - 700 * MIN, false, 'utc')).toContain('nothing recorded');
    expect(valueText(at, undefined, false, 'utc')).toBe('nothing is played yet');
  });

  it('what is pointed at', () => {
    const error = { fromMs: NOW - 20 * MIN, toMs: NOW - 20 * MIN + 4000, packets: 3, kinds: { continuity: 3 } };
    const keep = { name: 'final', started_at: new Date(NOW - 6 * MIN).toISOString(), last_segment_at: new Date(NOW).toISOString() } as Keep;
    const at = scene({
      facts: { known: [], gaps: [gap(-40, -39.99), gap(-39.98, -39.97, { reason: 'disk' }), gap(-30, -27)], errors: [error] },
      keeps: [keep],
      oldestMs: NOW - 45 * MIN,
    });
    const lines = (min: number): readonly string[] => tellPixel(at, toX(scale, NOW + min * MIN), 'utc').lines;
    expect(lines(-28)).toEqual(['gap: no signal, 3 min, from 02:42:07']);
    expect(lines(-40)).toEqual(['2 gaps, the longest 0.6 s: no signal']);
    expect(lines(-20)).toEqual(['errors: 3 continuity']);
    expect(lines(-3)).toEqual(['kept as final']);
    expect(lines(-48)).toEqual(['before the oldest there is']);
    expect(lines(5)).toEqual(['to come']);
    expect(tellPixel(at, 1000, 'utc').moment).toBe('Sun 22 Nov 2026, 03:12:07');
  });
});
