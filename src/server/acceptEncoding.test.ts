import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseCoding } from './acceptEncoding.js';

describe('Accept-Encoding', () => {
  it.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br', 'br'],
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.5, gzip;q=0.8', 'gzip'],
    ['br;q=0, gzip', 'gzip'],
    ['br;q=0, gzip;q=0', 'identity'],
    ['*', 'br'],
    ['*;q=0.1', 'br'],
    ['br;q=0, *', 'gzip'],
    ['*;q=0', 'identity'],
    ['identity', 'identity'],
    ['identity;q=1, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.5', 'gzip'],
    ['identity;q=0, gzip;q=0.001', 'gzip'],
    ['GZIP ; Q=1.000', 'gzip'],
    ['gzip;q=1.5', 'identity'],
    ['gzip;q=', 'identity'],
    ['deflate', 'identity'],
    ['gzip;q=0.8;level=3', 'gzip'],
  ] as const)('%s: %s', (header, coding) => expect(chooseCoding(header)).toBe(coding));

  it('nothing is sent that was refused, whatever comes', () => {
    const item = fc.tuple(
      fc.constantFrom('br', 'gzip', 'identity', '*', 'deflate', ''),
      fc.constantFrom('', ';q=0', ';q=0.5', ';q=1', ';q=x'),
    );
    fc.assert(
      fc.property(fc.uniqueArray(item, { selector: ([name]) => name }), (items) => {
        const coding = chooseCoding(items.map(([name, q]) => name + q).join(','));
        const weight = (name: string): string | undefined => items.find(([asked]) => asked === name)?.[1];
        const asked = weight(coding) ?? weight('*');
        if (coding !== 'identity') expect(['', ';q=0.5', ';q=1']).toContain(asked);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(['br', 'gzip', 'identity']).toContain(chooseCoding(header));
      }),
    );
  });
});
