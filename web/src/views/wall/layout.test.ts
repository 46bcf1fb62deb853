import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOut, moved, rowsSeen, SPARE_ROWS, tilesThere } from './layout';

describe('where tiles lie (G4)', () => {
  test('as many beside each other as fit, within the box', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 320, max: 4000 }), (count, width) => {
        const layout = layOut(count, width);
        expect((layout.columns - 1) * layout.columnWidth + layout.tileWidth).toBeLessThanOrEqual(width);
        expect(layout.rows * layout.columns).toBeGreaterThanOrEqual(count);
        expect((layout.rows - 1) * layout.columns).toBeLessThan(count);
        expect(layout.height).toBe((layout.rows - 1) * layout.rowHeight + layout.tileHeight);
      }),
    );
  });

  test('a phone has one column, with the picture at the side', () => {
    expect(layOut(500, 366)).toMatchObject({ columns: 1, rows: 500, isNarrow: true, tileWidth: 366 });
    expect(layOut(500, 1248)).toMatchObject({ columns: 4, rows: 125, isNarrow: false });
    expect(layOut(0, 1248)).toMatchObject({ rows: 0, height: 0 });
  });

  test('few streams have larger pictures, and none fills the page', () => {
    expect(layOut(1, 1248)).toMatchObject({ columns: 1, tileWidth: 480 });
    expect(layOut(3, 1248)).toMatchObject({ columns: 3, tileWidth: 405 });
    expect(layOut(4, 1248)).toMatchObject({ columns: 4, tileWidth: 300 });
    expect(layOut(1, 366)).toMatchObject({ columns: 1, tileWidth: 366 });
  });
});

describe('what is there (G4)', () => {
  test('every tile of which anything is seen, and few more, wherever one scrolls', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 800 }),
        fc.integer({ min: 320, max: 2600 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (count, width, part) => {
          const layout = layOut(count, width);
          const viewHeight = 800;
          const top = 120 - part * layout.height;
          const there = tilesThere(layout, count, rowsSeen(layout, top, viewHeight), undefined);
          for (let i = 0; i < count; i++) {
            const y = top + Math.floor(i / layout.columns) * layout.rowHeight;
            if (y < viewHeight && y + layout.tileHeight > 0) expect(there).toContain(i);
          }
          const rows = Math.ceil(viewHeight / layout.rowHeight) + 1 + 2 * SPARE_ROWS;
          expect(there.length).toBeLessThanOrEqual(rows * layout.columns);
        },
      ),
    );
  });

  test('the tile with the focus stays when it is scrolled away, in its place of the order', () => {
    const layout = layOut(500, 1248);
    const seen = { first: 50, last: 52 };
    const plain = tilesThere(layout, 500, seen, undefined);
    expect(plain[0]).toBe(192);
    expect(plain.at(-1)).toBe(219);
    expect(tilesThere(layout, 500, seen, 3)).toEqual([3, ...plain]);
    expect(tilesThere(layout, 500, seen, 499)).toEqual([...plain, 499]);
    expect(tilesThere(layout, 500, seen, 200)).toEqual(plain);
    expect(tilesThere(layout, 500, seen, -1)).toEqual(plain);
  });

  test('nothing is there of a box that is scrolled out of sight, but the tile with the focus', () => {
    const layout = layOut(3, 1248);
    expect(tilesThere(layout, 3, rowsSeen(layout, -5000, 800), undefined)).toEqual([]);
    expect(tilesThere(layout, 3, rowsSeen(layout, -5000, 800), 1)).toEqual([1]);
  });
});

test('arrow keys, Home and End move between tiles (G4)', () => {
  // 0 1 2 3 / 4 5 6 7 / 8 9
  const to = (key: string, from: number): number | undefined => moved(key, from, 10, 4);
  expect(to('ArrowRight', 3)).toBe(4);
  expect(to('ArrowLeft', 4)).toBe(3);
  expect(to('ArrowDown', 1)).toBe(5);
  expect(to('ArrowUp', 5)).toBe(1);
  expect(to('ArrowDown', 7)).toBe(9);
  expect(to('ArrowDown', 9)).toBeUndefined();
  expect(to('ArrowUp', 2)).toBeUndefined();
  expect(to('ArrowLeft', 0)).toBeUndefined();
  expect(to('ArrowRight', 9)).toBeUndefined();
  expect(to('Home', 9)).toBe(0);
  expect(to('End', 0)).toBe(9);
  expect(to('a', 4)).toBeUndefined();
});
