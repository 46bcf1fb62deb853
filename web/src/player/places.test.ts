import { describe, expect, it } from 'vitest';
import { placeOf, placeUrl, windowOf } from './places';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const MIN = 60_000;

describe('placeOf', () => {
  it('G7: the last minutes are live, all else a window of an hour that begins a little before', () => {
    expect(placeOf(NOW - 5 * MIN, NOW)).toEqual({ kind: 'live' });
    expect(placeOf(NOW - 10 * MIN, NOW)).toEqual({ kind: 'window', fromMs: NOW - 11 * MIN, durationSec: 3600 });
    expect(placeOf(NOW - 90 * MIN - 3456, NOW)).toEqual({ kind: 'window', fromMs: NOW - 91 * MIN - 10_000, durationSec: 3600 });
  });

  it('a window of the last minutes, where live is long ago', () => {
    expect(windowOf(NOW - 5 * MIN)).toEqual({ kind: 'window', fromMs: NOW - 6 * MIN, durationSec: 3600 });
  });

  it('within bounds never live, and nothing beyond them', () => {
    const bounds = { token: 't', fromMs: NOW - 8 * MIN, toMs: NOW - 2 * MIN };
    expect(placeOf(NOW - 5 * MIN, NOW, bounds)).toEqual({ kind: 'window', fromMs: NOW - 6 * MIN, durationSec: 240 });
    expect(placeOf(NOW - 8 * MIN, NOW, bounds)).toEqual({ kind: 'window', fromMs: NOW - 8 * MIN, durationSec: 360 });
    expect(placeOf(NOW, NOW, bounds)).toEqual({ kind: 'window', fromMs: bounds.toMs - 1000, durationSec: 1 });
  });

  it('addresses', () => {
    expect(placeUrl('uk/bbc', { kind: 'live' })).toBe('/uk/bbc/index.m3u8?dvr=600');
    const window = { kind: 'window', fromMs: 1_767_225_600_000, durationSec: 3600 } as const;
    expect(placeUrl('news', window)).toBe('/news/index.m3u8?from=1767225600.000&dur=3600');
    expect(placeUrl('news', window, { token: 'abc', fromMs: 0, toMs: 1 })).toBe('/t/abc/news/index.m3u8?from=1767225600.000&dur=3600');
  });
});
