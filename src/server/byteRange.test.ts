import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readRange } from './byteRange.js';

it('a range that was asked for lies within the body, and is exactly what was asked for', () => {
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(6000), fc.nat(6000), (size, first, last) => {
      const range = readRange(`bytes=${first}-${last}`, size);
      if (last < first) expect(range).toBe('whole');
      else if (first >= size) expect(range).toBe('unsatisfiable');
      else expect(range).toEqual({ fromByte: first, toByte: Math.min(last + 1, size) });
      const end = readRange(`bytes=-${last}`, size);
      if (last === 0 || size === 0) expect(end).toBe('unsatisfiable');
      else expect(end).toEqual({ fromByte: Math.max(0, size - last), toByte: size });
    }),
  );
});

it('L1: several ranges are refused, however they are written', () => {
  for (const header of ['bytes=0-1,2-3', 'bytes=0-, 5-6', 'BYTES=-1,-1', `bytes=${'0-,'.repeat(1300)}`, 'bytes=,']) {
    expect(readRange(header, 100)).toBe('unsatisfiable');
  }
});

it('whatever comes, it is the whole, nothing, or a range that is there', () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9,\- ]{0,40}$/));
  fc.assert(
    fc.property(header, fc.nat(5000), (text, size) => {
      const range = readRange(text, size);
      if (typeof range === 'string') return;
      expect(range.fromByte).toBeGreaterThanOrEqual(0);
      expect(range.toByte).toBeGreaterThan(range.fromByte);
      expect(range.toByte).toBeLessThanOrEqual(size);
    }),
  );
});
