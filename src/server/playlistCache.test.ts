import { expect, it } from 'vitest';
import { PlaylistCache } from './playlistCache.js';

function source(text: string) {
  const made = { count: 0 };
  async function* render(): AsyncGenerator<Uint8Array> {
    made.count += 1;
    for (let at = 0; at < text.length; at += 100) yield Buffer.from(text.slice(at, at + 100));
  }
  return { made, render };
}

it('many who ask at once share one rendering, of every coding', async () => {
  const cache = new PlaylistCache();
  const { made, render } = source('x'.repeat(1000));
  const codings = ['identity', 'gzip', 'br', 'gzip', 'identity'] as const;
  const bodies = await Promise.all(codings.map((coding) => cache.get('a', coding, render)));
  expect(bodies[0]?.length).toBe(1000);
  expect(bodies[1]).toBe(bodies[3]);
  expect(bodies[1]?.length).toBeLessThan(100);
  expect(made.count).toBe(1);
});

it('is bounded, least lately used first', async () => {
  const cache = new PlaylistCache(3500);
  const playlists = ['a', 'b', 'c'].map((name) => ({ name, ...source(name.repeat(1000)) }));
  const ask = async (index: number): Promise<void> => {
    const { name, render } = playlists[index]!;
    expect((await cache.get(name, 'identity', render))?.length).toBe(1000);
  };
  for (const index of [0, 1, 0, 2, 0]) await ask(index);
  expect(cache.sizeBytes).toBeGreaterThan(2000);
  expect(cache.sizeBytes).toBeLessThanOrEqual(3500);
  await ask(1);
  expect(playlists.map(({ made }) => made.count)).toEqual([1, 2, 1]);
});

it('a long one is not kept, and a failure is not remembered', async () => {
  const cache = new PlaylistCache(10_000, 500);
  const long = source('x'.repeat(1000));
  expect(await cache.get('long', 'gzip', long.render)).toBeUndefined();
  // that it is long is remembered
  expect(await cache.get('long', 'identity', long.render)).toBeUndefined();
  expect(long.made.count).toBe(1);
  async function* fails(): AsyncGenerator<Uint8Array> {
    throw new Error('pruned');
  }
  await expect(cache.get('a', 'br', fails)).rejects.toThrow('pruned');
  expect((await cache.get('a', 'br', source('y').render))?.length).toBeGreaterThan(0);
});
