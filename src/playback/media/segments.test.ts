import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, isLivetapeError, type ErrorCode } from '../../base/index.js';
import { createMemoryStorage, type OpenedFile, type StreamStorage } from '../../storage/index.js';
import { SegmentCache } from './segmentCache.js';
import { openSegments } from './segments.js';

const MB = 1_000_000;

/** Bytes that differ from block to block. */
const media = (sizeBytes: number, seed = 0): Uint8Array => new Uint8Array(sizeBytes).map((_, at) => ((at >> 10) + at * 7 + seed) & 0xff);

/** A stream of files of given sizes. `modifiedMs` is said of all; opens, reads and closes are counted. */
async function lab(sizes: Record<string, number>, options: { maxCacheBytes?: number; modifiedMs?: number } = {}) {
  const inner = createMemoryStorage().stream('news');
  await inner.create();
  for (const [name, sizeBytes] of Object.entries(sizes)) {
    const upload = inner.put(name);
    await upload.write(media(sizeBytes, Number.parseInt(name, 10)));
    await upload.commit();
  }
  const counts = { opens: 0, reads: 0, closed: 0 };
  const place: StreamStorage = Object.assign(Object.create(inner) as StreamStorage, {
    location: inner.location,
    open: async (name: string): Promise<OpenedFile | undefined> => {
      const file = await inner.open(name);
      if (file === undefined) return undefined;
      counts.opens += 1;
      return {
        sizeBytes: file.sizeBytes,
        modifiedMs: options.modifiedMs,
        read: (into, fromByte) => {
          counts.reads += 1;
          return file.read(into, fromByte);
        },
        close: () => {
          counts.closed += 1;
          return file.close();
        },
        [Symbol.asyncDispose]: () => file.close(),
      };
    },
  });
  const clock = new ManualClock();
  const segments = openSegments({
    place: (code) => (code === 'news' ? place : undefined),
    clock,
    maxCacheBytes: options.maxCacheBytes ?? 64 * MB,
  });
  return { segments, clock, counts, place: inner };
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return Buffer.concat(parts);
}

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error: unknown = await promise.then(
    (answer) => answer,
    (cause: unknown) => cause,
  );
  expect(isLivetapeError(error) ? error.code : error).toBe(code);
}

const NOW = new ManualClock().nowMs();

describe('P15: segments by handle', () => {
  it('are read in ranges, in blocks of 256 KiB, one buffer for all', async () => {
    const { segments, counts } = await lab({ '000007.ts': MB });
    const file = await segments.segment('news', '000007.ts');
    expect(file.sizeBytes).toBe(MB);
    const buffers = new Set<ArrayBufferLike>();
    const sizes: number[] = [];
    for await (const chunk of file.read(100, 600_000)) {
      buffers.add(chunk.buffer);
      sizes.push(chunk.byteLength);
    }
    expect([sizes, buffers.size]).toEqual([[262144, 262144, 75612], 1]);
    expect(Buffer.compare(await readAll(file.read(0, MB)), media(MB, 7))).toBe(0);
    expect(Buffer.compare(await readAll(file.read(999_990, 2 * MB)), media(MB, 7).subarray(999_990))).toBe(0);
    expect(await readAll(file.read(5, 5))).toHaveLength(0);
    await file.close();
    expect(counts).toMatchObject({ opens: 1, closed: 1 });
  });

  it('that are pruned while somebody reads are read to their end', async () => {
    const { segments, place } = await lab({ '000007.ts': MB });
    const file = await segments.segment('news', '000007.ts');
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.read(0, MB)) {
      chunks.push(chunk.slice());
      await place.remove('000007.ts');
    }
    expect(Buffer.compare(Buffer.concat(chunks), media(MB, 7))).toBe(0);
    await file.close();
    await refused(segments.segment('news', '000007.ts'), 'SEGMENT_NOT_FOUND');
  });

  it('give their buffer back when the reader breaks off', async () => {
    const { segments } = await lab({ '000007.ts': MB });
    const file = await segments.segment('news', '000007.ts');
    const buffers = new Set<ArrayBufferLike>();
    for (let round = 0; round < 3; round++) {
      for await (const chunk of file.read(0, MB)) {
        buffers.add(chunk.buffer);
        break;
      }
    }
    expect(buffers.size).toBe(1);
    await file.close();
  });

  it.each([
    'playlist.m3u8',
    'index.json',
    '000000.ts.part',
    '00000.ts',
    'a00000.ts',
    '../000000.ts',
    '000000.TS',
    '000000.ts\n',
    '',
    '1'.repeat(99) + '.ts',
  ])('of the name %j are none', async (name) =>
    refused((await lab({ '000000.ts': 188 })).segments.segment('news', name), 'SEGMENT_NOT_FOUND'),
  );

  it('of unknown streams are another matter', async () => {
    await refused((await lab({})).segments.segment('other', '000000.ts'), 'STREAM_NOT_FOUND');
  });

  it('that are shorter than they were when they were opened are an error', async () => {
    const { segments, place } = await lab({ '000007.ts': 1000 }, { modifiedMs: NOW });
    const open = place.open.bind(place);
    Object.defineProperty(place, 'open', {
      value: async (name: string) => {
        const file = (await open(name))!;
        return { ...file, sizeBytes: 2000, modifiedMs: undefined, read: file.read.bind(file), close: () => file.close() };
      },
    });
    await refused(segments.segment('news', '000007.ts'), 'STORAGE_FAILED');
    expect(segments.stats.cachedBytes).toBe(0);
  });
});

describe('P16: segments in memory', () => {
  it('are those written less than two minutes ago', async () => {
    const { segments, clock, counts } = await lab({ '000001.ts': MB, '000002.ts': MB }, { modifiedMs: NOW });
    clock.advance(119_999);
    for (let round = 0; round < 3; round++) {
      const file = await segments.segment('news', '000001.ts');
      expect(Buffer.compare(await readAll(file.read(0, MB)), media(MB, 1))).toBe(0);
      await file.close();
    }
    expect([counts.opens, counts.closed, segments.stats]).toEqual([1, 1, { cachedBytes: MB, hits: 2, misses: 1 }]);
    clock.advance(1);
    await (await segments.segment('news', '000002.ts')).close();
    expect([counts.opens, counts.closed, segments.stats]).toEqual([2, 2, { cachedBytes: MB, hits: 2, misses: 2 }]);
  });

  it('and older ones that are asked for twice', async () => {
    const { segments, counts } = await lab({ '000001.ts': 1000 });
    for (let round = 0; round < 4; round++) await (await segments.segment('news', '000001.ts')).close();
    expect([counts.opens, counts.closed, segments.stats]).toEqual([2, 2, { cachedBytes: 1000, hits: 2, misses: 2 }]);
  });

  it('are read once for all who ask at once', async () => {
    const { segments, counts } = await lab({ '000001.ts': MB }, { modifiedMs: NOW });
    const files = await Promise.all(Array.from({ length: 50 }, () => segments.segment('news', '000001.ts')));
    const bodies = await Promise.all(files.map((file) => readAll(file.read(0, MB))));
    for (const body of bodies) expect(Buffer.compare(body, media(MB, 1))).toBe(0);
    expect(counts).toEqual({ opens: 1, reads: 1, closed: 1 });
    expect(segments.stats).toEqual({ cachedBytes: MB, hits: 49, misses: 1 });
  });

  it('fail for all who ask at once, and are asked for anew after that', async () => {
    const { segments, place } = await lab({}, { modifiedMs: NOW });
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => segments.segment('news', '000001.ts')));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
    const upload = place.put('000001.ts');
    await upload.write(media(10));
    await upload.commit();
    expect((await segments.segment('news', '000001.ts')).sizeBytes).toBe(10);
  });

  it('stay served after they are pruned, as long as they are there', async () => {
    const { segments, place } = await lab({ '000001.ts': 1000 }, { modifiedMs: NOW });
    await (await segments.segment('news', '000001.ts')).close();
    await place.remove('000001.ts');
    const file = await segments.segment('news', '000001.ts');
    expect(await readAll(file.read(0, 1000))).toHaveLength(1000);
    await segments.close();
    expect(await readAll(file.read(0, 1000))).toHaveLength(1000);
    await refused(segments.segment('news', '000001.ts'), 'SEGMENT_NOT_FOUND');
  });

  it('stay within the bound: the least lately used goes first, what is read stays', async () => {
    const sizes = { '000001.ts': MB, '000002.ts': MB, '000003.ts': MB, '000004.ts': MB };
    const { segments, counts } = await lab(sizes, { modifiedMs: NOW, maxCacheBytes: 2 * MB });
    const first = await segments.segment('news', '000001.ts');
    await (await segments.segment('news', '000002.ts')).close();
    await (await segments.segment('news', '000003.ts')).close();
    expect([counts.opens, segments.stats.cachedBytes]).toEqual([3, 2 * MB]);
    await (await segments.segment('news', '000001.ts')).close();
    expect(segments.stats.hits).toBe(1);
    const third = await segments.segment('news', '000003.ts');
    expect(segments.stats.hits).toBe(2);
    const fourth = await segments.segment('news', '000004.ts');
    expect(Buffer.compare(await readAll(fourth.read(0, MB)), media(MB, 4))).toBe(0);
    expect([segments.stats.cachedBytes, counts.closed]).toEqual([2 * MB, 3]);
    for (const file of [first, third, fourth]) await file.close();
    expect(counts.closed).toBe(4);
    await refused(
      readAll(third.read(0, 1)).then(() => undefined),
      'CLOSED',
    );
  });

  it('are none when the bound is nothing, and none is larger than 16 MB', async () => {
    const none = await lab({ '000001.ts': 1000 }, { modifiedMs: NOW, maxCacheBytes: 0 });
    for (let round = 0; round < 3; round++) await (await none.segments.segment('news', '000001.ts')).close();
    expect([none.counts.opens, none.segments.stats.cachedBytes]).toEqual([3, 0]);
    const large = await lab({ '000001.ts': 16 * MB + 1 }, { modifiedMs: NOW });
    for (let round = 0; round < 3; round++) await (await large.segments.segment('news', '000001.ts')).close();
    expect([large.counts.opens, large.segments.stats.cachedBytes]).toEqual([3, 0]);
  });

  it('never take more than the bound, nor count wrong, whatever is done', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 6 }),
      size: fc.integer({ min: 1, max: 60 }),
      keepOpen: fc.boolean(),
      fail: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = new SegmentCache(100);
        const open: (() => void)[] = [];
        for (const { key, size, keepOpen, fail } of steps) {
          const name = String(key);
          let held = cache.get(name);
          if (held === undefined && cache.reserve(size)) {
            if (fail) cache.giveBack(size);
            else {
              cache.put(name, new Uint8Array(size));
              held = cache.get(name);
            }
          }
          if (held !== undefined) {
            if (keepOpen) open.push(held.release);
            else held.release();
          } else open.shift()?.();
          expect(cache.sizeBytes).toBeLessThanOrEqual(100);
          expect(cache.sizeBytes).toBeGreaterThanOrEqual(0);
        }
        open.forEach((release) => release());
        expect(cache.reserve(100)).toBe(true);
        expect(cache.sizeBytes).toBe(100);
      }),
    );
  });
});
