import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWhole } from './whole';

function box(name: string, body: number): number[] {
  const size = 8 + body;
  return [
    size >>> 24,
    (size >>> 16) & 255,
    (size >>> 8) & 255,
    size & 255,
    ...[...name].map((letter) => letter.charCodeAt(0)),
    ...new Array<number>(body).fill(0),
  ];
}
const PICTURE = Uint8Array.from([...box('ftyp', 16), ...box('moov', 300), ...box('mdat', 1000)]);

test('a whole file is; one without a description, or that is no MP4, is not (G8)', () => {
  expect(isWhole(PICTURE)).toBe(true);
  // As part of a larger buffer.
  expect(isWhole(Uint8Array.from([1, 2, 3, ...PICTURE]).subarray(3))).toBe(true);
  expect(isWhole(Uint8Array.from([...box('ftyp', 16), ...box('mdat', 1000)]))).toBe(false);
  expect(isWhole(new TextEncoder().encode('<html>no gateway</html>'))).toBe(false);
});

test('no part of one is whole, nor one with more behind it', () => {
  for (let length = 0; length < PICTURE.length; length++) {
    // Without its last box it is a file, though one without a picture.
    if (length !== PICTURE.length - 1008) expect(isWhole(PICTURE.subarray(0, length))).toBe(false);
  }
  expect(isWhole(Uint8Array.from([...PICTURE, 0]))).toBe(false);
});

test('whatever the bytes, it answers', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof isWhole(bytes) === 'boolean'));
  fc.assert(
    fc.property(fc.nat(PICTURE.length - 1), fc.nat(255), (at, value) => {
      const damaged = Uint8Array.from(PICTURE);
      damaged[at] = value;
      return typeof isWhole(damaged) === 'boolean';
    }),
  );
});
