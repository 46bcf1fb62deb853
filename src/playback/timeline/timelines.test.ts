/** What timelines cost, what they refuse, what they forget, and what they do while the journal is replaced under a reader. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_MS, endOf, factsAt, fresh, open, patched, record, rejects } from '../../../test/archiveLab.js';
import { writeDeepArchive } from '../../../test/deepArchive.js';
import { faultyStorage, type FaultyStorage } from '../../../test/faultyStorage.js';
import { ManualClock, isLivetapeError, silentLogger, systemClock } from '../../base/index.js';
import { createMemoryStorage, openFsStorage, type StreamStorage } from '../../storage/index.js';
import type { Timeline, Timelines } from '../contract.js';
import { openTimelines } from './timelines.js';

const HEADER = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n';
const entryText = (i: number): string =>
  `#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS + i * 4000).toISOString()}\n#EXTINF:4.000000,\n${i}.ts\n`;

async function textOf(timeline: Timeline, from: number, to: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of timeline.text(from, to)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function over(place: StreamStorage, clock = new ManualClock(START_MS), maxCacheBytes = 1e9): Timelines {
  return openTimelines({ place: (code) => (code === 'news' ? place : undefined), clock, maxCacheBytes });
}

async function placeWith(journal: string | undefined): Promise<StreamStorage> {
  const place = createMemoryStorage().stream('news');
  await place.create();
  if (journal !== undefined) await place.replaceJournal([journal]);
  return place;
}

describe('what is not there', () => {
  it('P10: is told apart', async () => {
    await rejects(over(await placeWith(undefined)).timeline('other'), 'STREAM_NOT_FOUND', 'other');
    for (const journal of [
      undefined,
      '',
      HEADER,
      `${HEADER}#livetape format=1 life=1\n`,
      `${HEADER}#EXTINF:4,\n000`,
      `${HEADER}#EXT-X-ENDLIST\n`,
    ])
      await rejects(over(await placeWith(journal)).timeline('news'), 'NOTHING_RECORDED');
    await rejects(over(await placeWith('hello\n')).timeline('news'), 'ARCHIVE_CORRUPT');
    await rejects(over(await placeWith(`${HEADER}#livetape format=2 life=1\n`)).timeline('news'), 'ARCHIVE_FORMAT_NEWER');
  });

  it('is asked for in vain', async () => {
    const timeline = await over(await placeWith(HEADER + entryText(0) + entryText(1))).timeline('news');
    await rejects(timeline.entry(2), 'ARGUMENT_INVALID');
    await rejects(textOf(timeline, 0, 3), 'ARGUMENT_INVALID');
    await rejects(textOf(timeline, 2, 1), 'ARGUMENT_INVALID');
    await rejects(timeline.entry(-1), 'WINDOW_EXPIRED');
    expect(await textOf(timeline, 2, 2)).toBe('');
  });

  it('is not counted where the Go system pruned: the numbers are those of the files, and never fall', async () => {
    const place = await placeWith(HEADER + entryText(7) + entryText(8));
    const clock = new ManualClock(START_MS);
    const timelines = over(place, clock);
    expect(await timelines.timeline('news')).toMatchObject({ firstSequence: 7, endSequence: 9 });
    await place.replaceJournal([HEADER, entryText(8), entryText(9)]);
    clock.advance(201);
    expect(await timelines.timeline('news')).toMatchObject({ firstSequence: 8, endSequence: 10 });
  });

  it('is there a moment later, and a damage that was mended is gone', async () => {
    const place = await placeWith(undefined);
    const clock = new ManualClock(START_MS);
    const timelines = over(place, clock);
    await rejects(timelines.timeline('news'), 'NOTHING_RECORDED');
    await place.replaceJournal([`${HEADER}#EXTINF:x,\n0.ts\n`]);
    clock.advance(201);
    await rejects(timelines.timeline('news'), 'ARCHIVE_CORRUPT');
    await place.replaceJournal([HEADER, entryText(0)]);
    await rejects(timelines.timeline('news'), 'ARCHIVE_CORRUPT');
    clock.advance(201);
    expect(await timelines.timeline('news')).toMatchObject({ firstSequence: 0, endSequence: 1, endMs: START_MS + 4000 });
  });
});

describe('P1: looks', () => {
  it('are shared for 200 ms, and cost one question when nothing changed', async () => {
    const storage = faultyStorage(createMemoryStorage());
    const place = storage.stream('news');
    await place.create();
    await place.replaceJournal([HEADER, entryText(0)]);
    const clock = new ManualClock(START_MS);
    const timelines = over(place, clock);
    const [one, two] = await Promise.all([timelines.timeline('news'), timelines.timeline('news')]);
    expect(one).toBe(two);
    await place.appendJournal(entryText(1), (await place.journalSize()) ?? 0);
    storage.operations.length = 0;
    clock.advance(200);
    expect(await timelines.timeline('news')).toBe(one);
    expect(storage.operations).toEqual([]);
    clock.advance(1);
    expect(await timelines.timeline('news')).toMatchObject({ endSequence: 2 });
    const looked = storage.operations.splice(0).map(({ name }) => name);
    expect(looked.length).toBeLessThanOrEqual(5);
    clock.advance(201);
    const again = await timelines.timeline('news');
    expect(storage.operations.map(({ name }) => name)).toEqual(['journalStamp']);
    expect(again.version).not.toBe(one.version);
    expect(again.version).toMatch(/^[\w-]+$/);
  });

  it('a stream that nobody asks for is forgotten in ten minutes; who still reads reads on', async () => {
    const place = await placeWith([HEADER, ...Array.from({ length: 600 }, (_, i) => entryText(i))].join(''));
    const clock = new ManualClock(START_MS);
    const timelines = over(place, clock);
    const timeline = await timelines.timeline('news');
    const text = await textOf(timeline, 0, 600);
    expect(timelines.stats.streams).toBe(1);
    expect(timelines.stats.cachedBytes).toBeGreaterThan(text.length);
    clock.advance(9 * 60_000);
    expect(await timeline.at(START_MS)).toBe(0);
    clock.advance(9 * 60_000);
    expect(timelines.stats.streams).toBe(1);
    clock.advance(60_000);
    expect(timelines.stats).toEqual({ cachedBytes: 0, streams: 0 });
    expect(await textOf(timeline, 0, 600)).toBe(text);
  });
});

describe('P2: a journal that is replaced under a reader', () => {
  it('keeps what stays for who holds it, and what went is WINDOW_EXPIRED', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage, { retention: true });
    await archive.beginLife(60);
    for (let i = 0; i < 700; i++) await record(archive, factsAt(endOf(archive)), 188);
    let replace: (() => Promise<unknown>) | undefined;
    const moving = patched(place, {
      async readJournal(from, to) {
        const now = replace;
        replace = undefined;
        await now?.();
        return place.readJournal(from, to);
      },
    });
    const prune = (count: number) => () => archive.prune({ maxBytes: archive.totals.sizeBytes - count * 188 });
    const whole = await over(place).timeline('news');
    const from300 = await textOf(whole, 300, 700);

    const timeline = await over(moving).timeline('news');
    replace = prune(100);
    expect(await textOf(timeline, 300, 700)).toBe(from300);
    await rejects(textOf(timeline, 99, 700), 'WINDOW_EXPIRED', '100');
    await rejects(timeline.entry(50), 'WINDOW_EXPIRED');
    await rejects(timeline.at(START_MS + 8000), 'WINDOW_EXPIRED');
    await rejects(timeline.back(700, 4000 * 650), 'WINDOW_EXPIRED');
    expect(await timeline.back(700, 4000 * 600)).toBe(100);
    replace = prune(50);
    expect(await timeline.entry(200)).toMatchObject({ mediaSequence: 200, uri: '000200.ts', sizeBytes: 188, cumulativeBytes: 201 * 188 });
    replace = prune(50);
    expect(await timeline.at(START_MS + 1_000_001)).toBe(250);
    // ended, and begun anew: another header each time, the same entries
    replace = () => archive.stop();
    expect((await timeline.entry(333)).uri).toBe('000333.ts');
    await archive.close();
    await using anew = await open(storage, { retention: true });
    await anew.beginLife(60);
    await record(anew, undefined, 188);
    expect(await textOf(timeline, 300, 700)).toBe(from300);
    // and gone for good
    await place.replaceJournal([HEADER, entryText(0), entryText(1)]);
    await rejects(timeline.entry(600), 'WINDOW_EXPIRED');
  });

  it('one that never stands still fails at last', async () => {
    const place = await placeWith(HEADER + entryText(0));
    let life = 0;
    const restless = patched(place, {
      async readJournal(from, to) {
        await place.replaceJournal([HEADER, `#livetape format=1 life=${life++}\n`, entryText(life)]);
        return place.readJournal(from, to);
      },
    });
    await rejects(over(restless).timeline('news'), 'STORAGE_FAILED', 'replaced');
  });

  it('an entry that was seen and did not become durable is forgotten', async () => {
    const { storage, place } = fresh();
    await using archive = await open(storage);
    await archive.beginLife(60);
    for (let i = 0; i < 3; i++) await record(archive);
    const before = Buffer.from(await place.readJournal(0, 1e6)).toString();
    const clock = new ManualClock(START_MS);
    const timelines = over(place, clock);
    const entry = (wallMs: number, uri: string): string =>
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(wallMs).toISOString()}\n#EXTINF:4.000000,\n#livetape n=3 seq=3 dseq=0 size=376 end=1504 crc=00000000\n${uri}\n`;
    await place.appendJournal(entry(START_MS + 12_000, '000003.ts'), before.length);
    const seen = await timelines.timeline('news');
    expect(await textOf(seen, 0, 4)).toContain('000003.ts');
    await place.appendJournal(entry(START_MS + 20_000, '000004.ts'), before.length);
    clock.advance(201);
    const now = await timelines.timeline('news');
    expect(now).toMatchObject({ endSequence: 4, endMs: START_MS + 24_000 });
    expect(now.version).not.toBe(seen.version);
    expect(await textOf(now, 3, 4)).toContain('000004.ts');
    expect(await now.at(START_MS + 15_000)).toBe(3);
  });

  it('a damage in the middle is told of, and the rest is served', async () => {
    const { storage, place } = fresh();
    await using archive = await open(storage);
    await archive.beginLife(60);
    for (let i = 0; i < 2000; i++) await record(archive, factsAt(endOf(archive)), 188);
    const text = Buffer.from(await place.readJournal(0, 1e7)).toString();
    await place.replaceJournal([text.replace('n=600 seq=600', 'n=600 seq=6x0')]);
    const timeline = await over(place).timeline('news');
    expect(await textOf(timeline, 1500, 2000)).toContain('001999.ts');
    await rejects(textOf(timeline, 0, 2000), 'ARCHIVE_CORRUPT', 'seq');
    await place.replaceJournal([text.replace('n=700 seq=700', 'n=700 seq=701')]);
    const other = await over(place).timeline('news');
    await rejects(textOf(other, 0, 2000), 'ARCHIVE_CORRUPT', 'due');
    await rejects(other.entry(700), 'ARCHIVE_CORRUPT');
  });
});

describe('a journal with any bytes changed', () => {
  it('is read, or refused with one of the codes that are said (fuzz)', async () => {
    const { storage, place } = fresh();
    await using archive = await open(storage);
    await archive.beginLife(60);
    for (let i = 0; i < 300; i++) await record(archive, factsAt(endOf(archive)), 188);
    const ours = Buffer.from(await place.readJournal(0, 1e6));
    const foreign = Buffer.from([HEADER, ...Array.from({ length: 300 }, (_, i) => entryText(i))].join(''));
    const codes = ['ARCHIVE_CORRUPT', 'ARCHIVE_FORMAT_NEWER', 'NOTHING_RECORDED'] as const;
    const mutation = fc.record({
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      by: fc.uint8Array({ maxLength: 12 }),
      cut: fc.nat(400),
    });
    let refused = 0;
    const runs = 150;
    const trial = fc.asyncProperty(
      fc.constantFrom(ours, foreign),
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async (whole, mutations) => {
        let bytes = whole;
        for (const { at, by, cut } of mutations) {
          const from = Math.floor(at * bytes.length);
          bytes = Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(from + cut)]);
        }
        const damaged = patched(await placeWith(HEADER), {
          journalStamp: () => Promise.resolve('damaged'),
          journalSize: () => Promise.resolve(bytes.length),
          readJournal: (from, to) => Promise.resolve(bytes.subarray(from, to)),
        });
        const attempt = async (work: () => Promise<unknown>): Promise<void> => {
          try {
            await work();
          } catch (error) {
            refused += 1;
            expect(
              codes.some((code) => isLivetapeError(error, code)),
              String(error),
            ).toBe(true);
          }
        };
        await attempt(async () => {
          const timeline = await over(damaged).timeline('news');
          const { firstSequence, endSequence, startMs, endMs } = timeline;
          await attempt(() => textOf(timeline, firstSequence, Math.min(endSequence, firstSequence + 2000)));
          await attempt(() => timeline.at((startMs + endMs) / 2));
          await attempt(() => timeline.back(endSequence, 40_000));
          await attempt(() => timeline.entry(endSequence - 2 < firstSequence ? firstSequence : endSequence - 2));
        });
      },
    );
    await fc.assert(trial, { numRuns: runs });
    expect(refused).toBeGreaterThan(runs / 2);
  });
});

describe('P3, P4: what it costs, in an archive of 151,200 entries', () => {
  const DEPTH = 151_200;
  const END_MS = Date.UTC(2026, 0, 1);
  let root: string;
  let storage: FaultyStorage;
  let eachBytes: number;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'livetape-timeline-'));
    await writeDeepArchive(join(root, 'news'), { streamCode: 'news', entries: DEPTH, endMs: END_MS });
    storage = faultyStorage(openFsStorage(root, { clock: systemClock, log: silentLogger }));
    eachBytes = ((await storage.stream('news').journalSize()) ?? NaN) / DEPTH;
  });
  afterAll(() => rm(root, { recursive: true }));

  /** Reads and their bytes since the last time; what was asked for beyond the file's end counts too. */
  function spent(): { reads: number; bytes: number } {
    const operations = storage.operations.splice(0);
    return { reads: operations.length, bytes: operations.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  async function cold(maxCacheBytes?: number): Promise<Timeline> {
    const timeline = await over(storage.stream('news'), undefined, maxCacheBytes).timeline('news');
    return timeline;
  }

  it('a cold timeline is a few reads', async () => {
    spent();
    const timeline = await cold();
    expect(timeline).toMatchObject({ firstSequence: 0, endSequence: DEPTH, endMs: END_MS, type: 'EVENT' });
    const { reads, bytes } = spent();
    expect(reads).toBeLessThanOrEqual(5);
    expect(bytes).toBeLessThan(40_000);
  });

  it('a moment is found in about log2 reads, also where time runs unevenly', async () => {
    const timeline = await cold();
    for (let i = 1; i < 20; i++) {
      spent();
      const wallMs = timeline.startMs + ((timeline.endMs - timeline.startMs) * i) / 20;
      const sequence = await timeline.at(wallMs);
      const { reads, bytes } = spent();
      expect(reads).toBeLessThanOrEqual(Math.log2(DEPTH));
      expect(bytes).toBeLessThan(200_000);
      expect((await timeline.entry(sequence)).wallMs).toBeGreaterThan(wallMs - 4000);
    }
  });

  it('two hours read a small multiple of themselves, and the second time nothing', async () => {
    const timeline = await cold();
    spent();
    const from = await timeline.at(timeline.endMs - 86_400_000);
    const text = await textOf(timeline, from, from + 1800);
    expect(text.split('\n').filter((line) => line.endsWith('.ts'))).toHaveLength(1800);
    expect(text).not.toContain('#livetape');
    const { bytes } = spent();
    expect(bytes).toBeLessThan(2 * 1800 * eachBytes);
    expect(await textOf(timeline, from, from + 1800)).toBe(text);
    expect(await timeline.at(timeline.endMs - 86_400_000)).toBe(from);
    expect(spent().bytes).toBe(0);
  });

  it('one entry is some kilobytes, and entries are read once', async () => {
    const timeline = await cold();
    spent();
    expect((await timeline.entry(77_777)).uri).toBe('077777.ts');
    expect(spent().bytes).toBeLessThan(60_000);
    let count = 0;
    for await (const chunk of timeline.entries(50_000, 60_000)) count += chunk.length;
    expect(count).toBe(10_000);
    expect(spent().bytes).toBeLessThan(1.3 * 10_000 * eachBytes);
  });

  it('those who ask at the same time share what is read', async () => {
    const timeline = await cold();
    spent();
    const texts = await Promise.all(Array.from({ length: 20 }, () => textOf(timeline, 512 * 100, 512 * 103)));
    expect(new Set(texts).size).toBe(1);
    expect(spent().bytes).toBeLessThan(2 * 512 * 3 * eachBytes);
  });

  it('all gaps and all durations are read once, in memory that is bounded', async () => {
    const max = 2_000_000;
    const timelines = over(storage.stream('news'), undefined, max);
    const timeline = await timelines.timeline('news');
    spent();
    const gaps = await timeline.gaps(0, DEPTH);
    expect(gaps).toHaveLength(40);
    expect(gaps.every(({ gap }) => gap.toMs - gap.fromMs === 20_000 && gap.reason === 'signal')).toBe(true);
    expect(spent().bytes).toBeLessThan(1.5 * DEPTH * eachBytes);
    expect(timelines.stats.cachedBytes).toBeLessThanOrEqual(max);
    expect(timelines.stats.cachedBytes).toBeGreaterThan(max / 2);
    expect(await timeline.gaps(0, DEPTH)).toEqual(gaps);
    expect(await timeline.back(DEPTH, 4000 * (DEPTH - 1000))).toBe(1000);
    expect(spent().bytes).toBeLessThan(4 * 512 * eachBytes);
  });
});
