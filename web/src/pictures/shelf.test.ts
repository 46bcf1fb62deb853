import { describe, expect, test } from 'vitest';
import { MAX_BYTES, MAX_PICTURES, Shelf, type Held } from './shelf';

function picture(width = 160, height = 90): Held & { closed: number } {
  const made = { closed: 0, bitmap: { width, height, close: () => void (made.closed += 1) } };
  return made;
}

describe('what is held (G8)', () => {
  test('300 pictures, the longest unused dropped and closed', () => {
    const shelf = new Shelf<ReturnType<typeof picture>>();
    const made = Array.from({ length: MAX_PICTURES }, () => picture());
    made.forEach((each, i) => shelf.put(String(i), each));
    expect(shelf.find('0', 0)).toBe(made[0]);
    shelf.put('new', picture());
    expect(shelf.count).toBe(MAX_PICTURES);
    expect(shelf.find('0', 0)).toBe(made[0]);
    expect(shelf.find('1', 0)).toBeUndefined();
    expect(made.map(({ closed }) => closed).filter(Boolean)).toEqual([1]);
    expect(made[1]?.closed).toBe(1);
  });

  test('48 MB, whichever is less', () => {
    const shelf = new Shelf<ReturnType<typeof picture>>();
    const each = 640 * 360 * 4;
    for (let i = 0; i < 100; i++) shelf.put(String(i), picture(640, 360));
    expect(shelf.bytes).toBeLessThanOrEqual(MAX_BYTES);
    expect(shelf.bytes).toBeGreaterThan(MAX_BYTES - each);
    expect(shelf.bytes).toBe(shelf.count * each);
  });

  test('one that takes the place of another closes it', () => {
    const shelf = new Shelf<ReturnType<typeof picture>>();
    const [old, young] = [picture(), picture(320, 180)];
    shelf.put('a', old);
    shelf.put('a', young);
    expect(old.closed).toBe(1);
    expect(shelf.find('a', 0)).toBe(young);
    expect(shelf.bytes).toBe(320 * 180 * 4);
  });

  test('that there is none is remembered for as long as was said', () => {
    const shelf = new Shelf<ReturnType<typeof picture>>();
    shelf.putNone('a', 1000);
    expect(shelf.find('a', 999)).toBe('none');
    expect(shelf.find('a', 1000)).toBeUndefined();
    const made = picture();
    shelf.putNone('b', 1000);
    shelf.put('b', made);
    expect(shelf.find('b', 0)).toBe(made);
  });
});
