import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PictureAnswer, PictureRequest, Pictures } from '../pictures/contract';
import { TilePictures } from './tilePictures';

const PICTURE = { bitmap: { width: 160, height: 90 } as ImageBitmap, atMs: 0 };
const tiles = (...moments: number[]) => moments.map((atMs, i) => ({ atMs, x: i * 80 }));

describe('the pictures along the line (G6)', () => {
  let asked: PictureRequest[];
  let held: Map<number, PictureAnswer>;
  let answer: PictureAnswer | undefined;
  let changes: number;
  let line: TilePictures;
  let isUnsupported: boolean;
  const pictures: Pictures = {
    held: (_code, atMs) => held.get(atMs),
    isUnsupported: () => isUnsupported,
    get: (request) => {
      asked.push(request);
      return new Promise((resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason as Error));
        if (answer === undefined) return;
        held.set(request.atMs, answer);
        resolve(answer);
      });
    },
  };

  beforeEach(() => {
    vi.useFakeTimers();
    asked = [];
    held = new Map();
    answer = PICTURE;
    changes = 0;
    isUnsupported = false;
    line = new TilePictures(pictures, 'news', () => changes++);
  });
  afterEach(() => {
    line.close();
    vi.useRealTimers();
  });

  it('are loaded when the line has stood still, last of all, and drawn from then on', async () => {
    line.show(tiles(1, 2));
    await vi.advanceTimersByTimeAsync(200);
    line.show(tiles(2, 3));
    await vi.advanceTimersByTimeAsync(200);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked.map(({ atMs, priority }) => [atMs, priority])).toEqual([
      [2, 0],
      [3, 0],
    ]);
    expect(changes).toBe(2);
    expect(line.show(tiles(2, 3)).every(({ bitmap }) => bitmap === PICTURE.bitmap)).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(2);
  });

  it('are given up when they are no more seen', async () => {
    answer = undefined;
    line.show(tiles(1, 2));
    await vi.advanceTimersByTimeAsync(300);
    line.show(tiles(2, 3));
    await vi.advanceTimersByTimeAsync(300);
    expect(asked.map(({ atMs, signal }) => [atMs, signal.aborted])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ]);
    line.close();
    expect(asked.every(({ signal }) => signal.aborted)).toBe(true);
  });

  it('are asked for again when what was not to be had may be there', async () => {
    answer = 'none';
    line.show(tiles(1));
    await vi.advanceTimersByTimeAsync(300);
    line.show(tiles(1));
    await vi.advanceTimersByTimeAsync(300);
    expect(asked).toHaveLength(1);
    held.clear();
    line.show(tiles(1));
    await vi.advanceTimersByTimeAsync(300);
    expect(asked).toHaveLength(2);
  });

  it('are none where the browser does not decode them', () => {
    expect(line.hasAny).toBe(true);
    isUnsupported = true;
    expect(line.hasAny).toBe(false);
  });
});
