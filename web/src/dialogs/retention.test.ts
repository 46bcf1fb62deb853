/** What is kept, in words (G5). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEEP_UNITS, keepParts, sizeText } from './retention';

describe('G5: what is kept comes to so much on the disk', () => {
  it.each([
    [4.2e6, 604_800, 0, 'About 45.4 GB a day, 318 GB for 7 days.'],
    [4.2e6, 86_400, 0, 'About 45.4 GB a day.'],
    [4.2e6, 5400, 0, 'About 45.4 GB a day, 2.83 GB for 90 minutes.'],
    [4.2e6, 3600, 0, 'About 45.4 GB a day, 1.89 GB for 1 hour.'],
    [4.2e6, 0, 0, 'About 45.4 GB a day, until the disk is full: nothing is deleted.'],
    [4.2e6, 604_800, 100, 'About 45.4 GB a day: 100 GB hold about 2 d 4 h.'],
    [4.2e6, 604_800, 1000, 'About 45.4 GB a day, 318 GB for 7 days.'],
    [4.2e6, 0, 100, 'About 45.4 GB a day: 100 GB hold about 2 d 4 h.'],
  ])('%d bit/s, %d s, %d GB', (bitrate, sec, gb, text) => expect(sizeText(bitrate, sec, gb)).toBe(text));

  it('says nothing where the bitrate is not known', () => {
    expect(sizeText(undefined, 86_400, 0)).toBeUndefined();
    expect(sizeText(0, 86_400, 0)).toBeUndefined();
  });

  it('any number of seconds is shown as a number and a unit that mean it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), (sec) => {
        const { count, unit } = keepParts(sec);
        expect(Math.round(count * KEEP_UNITS[unit])).toBe(sec);
      }),
    );
    expect(keepParts(1_209_600)).toEqual({ count: 14, unit: 'days' });
    expect(keepParts(7200)).toEqual({ count: 2, unit: 'hours' });
  });
});
