import { describe, expect, it } from 'vitest';
import type { GapFact } from './facts';
import { stopsAround, stopsOf } from './gapStops';

const gap = (fromSec: number, toSec: number): GapFact => ({ fromMs: fromSec * 1000, toMs: toSec * 1000, reason: 'signal', count: 1 });
const gaps = [gap(100, 120), gap(200, 210), gap(211, 230), gap(400, 401)];

describe('jumps to gaps (G6)', () => {
  it('lead to shortly before a gap, never into the one before or to before the oldest', () => {
    expect(stopsOf(gaps, 99_000).map(({ seekMs }) => seekMs)).toEqual([99_000, 197_000, 210_000, 397_000]);
  });

  it('step through all gaps, forward and back', () => {
    const forward: number[] = [];
    for (let at: number | undefined = 0; at !== undefined;) {
      at = stopsAround(gaps, 0, at).next?.seekMs;
      if (at !== undefined) forward.push(at);
    }
    expect(forward).toEqual([97_000, 197_000, 210_000, 397_000]);
    const back: number[] = [];
    // A second after each stop, as it is when it plays meanwhile.
    for (let at: number | undefined = 500_000; at !== undefined;) {
      at = stopsAround(gaps, 0, at).previous?.seekMs;
      if (at === undefined) break;
      back.push(at);
      at += 1000;
    }
    expect(back).toEqual([397_000, 210_000, 197_000, 97_000]);
  });

  it('are none where there are none', () => {
    expect(stopsAround([], 0, 1000)).toEqual({});
    expect(stopsAround(gaps, 0, 50_000).previous).toBeUndefined();
    expect(stopsAround(gaps, 0, 450_000).next).toBeUndefined();
  });
});
