import { describe, expect, test } from 'vitest';
import { PictureCache, type Loaded } from './cache';
import type { PictureRequest } from './contract';

interface Begun {
  readonly code: string;
  readonly atMs: number;
  readonly dots: number;
  readonly signal: AbortSignal;
  end(loaded: Loaded): Promise<void>;
  fail(): Promise<void>;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function bitmap(): ImageBitmap & { closed: number } {
  const made = { width: 320, height: 180, closed: 0, close: () => void (made.closed += 1) };
  return made;
}

function lab(density = 1) {
  const begun: Begun[] = [];
  const clock = { nowMs: 0 };
  const cache = new PictureCache(
    (code, atMs, dots, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('given up')));
        const end = async (loaded: Loaded): Promise<void> => (resolve(loaded), turn());
        begun.push({ code, atMs, dots, signal, end, fail: async () => (reject(new Error('broken')), turn()) });
      }),
    () => clock.nowMs,
    () => density,
  );
  const wish = (more: Partial<PictureRequest> = {}) => {
    const abort = new AbortController();
    const answer = cache.get({ code: 'news', atMs: 1000, width: 300, priority: 1, signal: abort.signal, ...more });
    return { answer, abort };
  };
  return { cache, begun, clock, wish };
}

const at = (begun: readonly Begun[], i: number): Begun => {
  const found = begun[i];
  if (found === undefined) throw new Error(`load ${i} has not begun`);
  return found;
};

describe('pictures (G8)', () => {
  test('one load for all who wish the same, held afterwards', async () => {
    const { cache, begun, wish } = lab();
    const [one, two] = [wish(), wish({ width: 200, priority: 2 })];
    await turn();
    expect(begun).toHaveLength(1);
    expect(at(begun, 0)).toMatchObject({ code: 'news', atMs: 1000, dots: 320 });
    const made = bitmap();
    await at(begun, 0).end({ kind: 'picture', bitmap: made });
    expect(await one.answer).toEqual({ bitmap: made, atMs: 1000 });
    expect(await two.answer).toBe(await one.answer);
    expect(cache.held('news', 1000, 250)).toBe(await one.answer);
    expect(cache.held('news', 1001, 250)).toBeUndefined();
    await wish().answer;
    expect(begun).toHaveLength(1);
  });

  test('a wider picture serves, a narrower does not; dots count', async () => {
    const { cache, begun, wish } = lab(2);
    const { answer } = wish({ width: 200 });
    await turn();
    expect(at(begun, 0).dots).toBe(640);
    await at(begun, 0).end({ kind: 'picture', bitmap: bitmap() });
    expect(cache.held('news', 1000, 60)).toBe(await answer);
    const narrow = wish({ atMs: 2000, width: 80 });
    await turn();
    expect(at(begun, 1).dots).toBe(160);
    await at(begun, 1).end({ kind: 'picture', bitmap: bitmap() });
    await narrow.answer;
    expect(cache.held('news', 2000, 160)).toBeUndefined();
  });

  test('given up when the last who waits has gone, and not before', async () => {
    const { cache, begun, wish } = lab();
    const [one, two] = [wish(), wish()];
    await turn();
    one.abort.abort(new Error('gone'));
    await expect(one.answer).rejects.toThrow('gone');
    expect(at(begun, 0).signal.aborted).toBe(false);
    two.abort.abort(new Error('gone too'));
    await expect(two.answer).rejects.toThrow('gone too');
    expect(at(begun, 0).signal.aborted).toBe(true);
    await turn();
    // What was given up is no answer: it is asked for again.
    expect(cache.held('news', 1000, 300)).toBeUndefined();
    const again = wish();
    await turn();
    expect(begun).toHaveLength(2);
    await at(begun, 1).end({ kind: 'picture', bitmap: bitmap() });
    expect(await again.answer).not.toBe('none');
  });

  test('one that waits is never loaded when nobody wants it any more', async () => {
    const { begun, wish } = lab();
    for (let i = 0; i < 4; i++) wish({ atMs: i });
    const late = wish({ atMs: 99 });
    late.abort.abort(new Error('gone'));
    await expect(late.answer).rejects.toThrow('gone');
    await turn();
    for (let i = 0; i < 4; i++) await at(begun, i).end({ kind: 'none', forMs: 1 });
    expect(begun.map(({ atMs }) => atMs)).toEqual([0, 1, 2, 3]);
    await expect(wish({ signal: AbortSignal.abort(new Error('before')) }).answer).rejects.toThrow('before');
  });

  test('that there is none is remembered for a while; so is what broke, for less', async () => {
    const { cache, begun, clock, wish } = lab();
    const one = wish();
    await turn();
    await at(begun, 0).end({ kind: 'none', forMs: 30_000 });
    expect(await one.answer).toBe('none');
    clock.nowMs = 29_999;
    expect(await wish().answer).toBe('none');
    expect(begun).toHaveLength(1);
    clock.nowMs = 30_000;
    expect(cache.held('news', 1000, 300)).toBeUndefined();
    const two = wish();
    await turn();
    await at(begun, 1).fail();
    expect(await two.answer).toBe('none');
    expect(cache.held('news', 1000, 300)).toBe('none');
    clock.nowMs = 35_000;
    expect(cache.held('news', 1000, 300)).toBeUndefined();
  });

  test('of a stream whose pictures are not decoded none is asked for again, and it is told', async () => {
    const { cache, begun, wish } = lab();
    for (let i = 0; i < 4; i++) wish({ atMs: i });
    const waits = wish({ atMs: 4 });
    expect(cache.isUnsupported('news')).toBe(false);
    await turn();
    for (let i = 0; i < 4; i++) await at(begun, i).end({ kind: 'unsupported' });
    expect(await waits.answer).toBe('none');
    expect(begun).toHaveLength(4);
    expect(cache.isUnsupported('news')).toBe(true);
    expect(cache.isUnsupported('sport')).toBe(false);
    expect(cache.held('news', 77, 160)).toBe('none');
    expect(await wish({ atMs: 78 }).answer).toBe('none');
    expect(begun).toHaveLength(4);
  });
});
