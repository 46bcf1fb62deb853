/**
 * The archive's writer: the exact bytes it leaves, the order of things, what it refuses, and what a commit costs. Every
 * step is looked at by the playlist checker.
 */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  START_MS,
  checkListed,
  endOf,
  entriesOf,
  factsAt,
  fresh,
  indexOf,
  mediaOf,
  open,
  playlistOf,
  record,
  rejects,
} from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { createMemoryStorage } from '../storage/index.js';

const hex = (number: number): string => number.toString(16).padStart(8, '0');
const crcOf = (index: number): string => hex(crc32(mediaOf(index)));

describe('what is written', () => {
  it('is, byte for byte, what the data format says', async () => {
    const { storage, place, watch } = fresh();
    const archive = await open(storage);
    expect(archive.life).toBeUndefined();
    expect(archive.last).toBeUndefined();
    await archive.beginLife(6);
    expect(archive.life).toEqual({ targetDurationSec: 6 });
    expect(await playlistOf(place)).toBe('');
    const first = await record(archive, factsAt(START_MS + 0.7));
    await watch.look();
    expect(first).toMatchObject({
      index: 0,
      uri: '000000.ts',
      mediaSequence: 0,
      discontinuitySequence: 0,
      sizeBytes: 376,
      cumulativeBytes: 376,
    });
    expect(first).toMatchObject({ wallMs: START_MS, duration90k: 360000, crc32: crc32(mediaOf(0)) });
    const second = await record(
      archive,
      factsAt(START_MS + 24000.5, 3.2, {
        discontinuity: true,
        pts: { first90k: 8589934000, end90k: 287408 },
        keyframes: [
          { offsetBytes: 376, pts90k: 8589934000 },
          { offsetBytes: 752, pts90k: 143408 },
        ],
        headBytes: 376,
        forced: true,
        lostBytes: 1880,
        errors: { continuity: 1, transportError: 2, syncSkippedBytes: 3, scrambled: 4 },
        gap: { fromMs: START_MS + 4000.7, toMs: START_MS + 24000.5, reason: 'signal' },
      }),
    );
    await watch.look();
    expect(second.gap).toEqual({ fromMs: START_MS + 4000, toMs: START_MS + 24000, reason: 'signal' });
    expect(archive.last).toEqual(second);
    await archive.stop();
    expect(await watch.look()).toBe(`#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#livetape format=1 life=1
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4.000000,
#livetape n=0 seq=0 dseq=0 size=376 end=376 crc=${crcOf(0)} pts=126063-486063 keys=0@126063 epoch=1
000000.ts
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:24.000Z
#EXTINF:3.200000,
#livetape n=1 seq=1 dseq=1 size=376 end=752 crc=${crcOf(1)} pts=8589934000-287408 keys=376@8589934000,752@143408 head=376 cut=forced lost=1880 cc=1 tei=2 sync=3 scr=4 gap=1767225604000 why=signal epoch=1
000001.ts
#EXT-X-ENDLIST
`);
    expect(await indexOf(place)).toBe(`{
  "format": 1,
  "stream_code": "news",
  "status": "stopped",
  "started_at": "2026-01-01T00:00:00.000Z",
  "last_segment_at": "2026-01-01T00:00:27.200Z",
  "segment_count": 2,
  "total_size_bytes": 752,
  "next_index": 2,
  "epoch": 1,
  "gaps": [
    {
      "from": "2026-01-01T00:00:04.000Z",
      "to": "2026-01-01T00:00:24.000Z",
      "duration": 20000000000,
      "reason": "signal"
    }
  ]
}
`);
    expect(await place.read('000001.ts', 0, 1000)).toEqual(mediaOf(1));
    expect(await place.list()).toEqual(['000000.ts', '000001.ts', 'index.json']);
    await archive.close();
  });

  it('has no type while entries may leave, and EVENT else; a live index.json says recording', async () => {
    for (const retention of [true, false]) {
      const { storage, place } = fresh();
      const archive = await open(storage, { retention });
      await archive.beginLife(6);
      await record(archive);
      expect((await playlistOf(place)).includes('#EXT-X-PLAYLIST-TYPE:EVENT')).toBe(!retention);
      await archive.close();
      expect(await indexOf(place)).toContain('"status": "recording"');
      expect(await playlistOf(place)).not.toContain('ENDLIST');
    }
  });

  it('grows by one write per entry within a life (F7)', async () => {
    const { storage, watch } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    let before = '';
    for (let i = 0; i < 5; i++) {
      await record(archive);
      const text = await watch.look();
      expect(text.startsWith(before)).toBe(true);
      before = text;
    }
    await archive.close();
  });

  it('adds up: EXTINFs of a run are as long as its media, to the microsecond', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    const ticks = 4 * 90000 + 1;
    let first90k = 126000;
    for (let i = 0; i < 100; i++) {
      const pts = { first90k, end90k: first90k + ticks };
      await record(archive, factsAt(START_MS + (i * ticks) / 90, 0, { duration90k: ticks, pts }));
      first90k += ticks;
    }
    const sumUs = (await entriesOf(place)).reduce((sum, entry) => sum + entry.durationUs, 0);
    expect(Math.abs(sumUs - (100 * ticks * 100) / 9)).toBeLessThan(1);
    expect(archive.last!.duration90k).toBe(ticks);
    await archive.close();
  });

  it('names at most 64 keyframes, evenly thinned, and none without a time stamp', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    const keyframes = Array.from({ length: 200 }, (_, i) => ({ offsetBytes: i * 188, pts90k: i }));
    await record(archive, factsAt(START_MS, 4, { keyframes }));
    const [entry] = await entriesOf(place);
    expect(entry!.facts!.keyframes).toHaveLength(64);
    expect(entry!.facts!.keyframes[0]).toEqual({ offsetBytes: 0, pts90k: 0 });
    expect(entry!.facts!.keyframes.at(-1)!.pts90k).toBeGreaterThan(190);
    await record(archive, factsAt(endOf(archive), 4, { pts: undefined, keyframes: [{ offsetBytes: 0, pts90k: NaN }] }));
    expect(await playlistOf(place)).toMatch(/crc=[0-9a-f]{8} epoch=1\n000001.ts\n$/);
    await archive.close();
  });
});

describe('the order of things', () => {
  it('enters segments in the order in which they were committed, while their files are stored side by side (F8)', async () => {
    const { storage, place, watch } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    const commits = Array.from({ length: 20 }, (_, i) => record(archive, factsAt(START_MS + i * 4000)));
    await Promise.all(commits);
    await watch.look();
    expect((await checkListed(place)).map((entry) => entry.uri)).toEqual(
      Array.from({ length: 20 }, (_, i) => `${String(i).padStart(6, '0')}.ts`),
    );
    await archive.close();
  });

  it('ends with what was asked for: stop and close come after the commits before them', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    void archive.beginLife(6);
    const commits = [0, 1, 2].map((i) => record(archive, factsAt(START_MS + i * 4000)));
    const stopped = archive.stop();
    const closed = archive.close();
    await Promise.all([...commits, stopped, closed]);
    expect((await entriesOf(place)).length).toBe(3);
    expect((await playlistOf(place)).endsWith('#EXT-X-ENDLIST\n')).toBe(true);
  });

  it('refuses everything once closed, and leaves nothing of what was open', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    const segment = archive.openSegment();
    await segment.write(mediaOf(0));
    await archive.close();
    await archive.close();
    await rejects(segment.write(mediaOf(0)), 'CLOSED');
    await rejects(segment.commit(factsAt(START_MS)), 'CLOSED');
    await rejects(archive.openSegment().write(mediaOf(1)), 'CLOSED');
    await rejects(archive.beginLife(6), 'CLOSED');
    await rejects(archive.stop(), 'CLOSED');
    await segment.abort();
    expect(await place.list()).toEqual([]);
    expect(await place.isTaken('000000.ts')).toBe(false);
  });

  it('can be closed by await using', async () => {
    const { storage } = fresh();
    let closed;
    {
      await using archive = await open(storage);
      closed = archive;
    }
    await rejects(closed.stop(), 'CLOSED');
  });
});

describe('invariants that a commit must not break', () => {
  const cases: [string, (end: number) => Parameters<typeof factsAt>, string][] = [
    ['F12: an EXTINF that rounds above the target', (end) => [end, 6.5], 'F12'],
    ['F12: a negative duration', (end) => [end, -1], 'F12'],
    ['F11: a date-time that goes back', (end) => [end - 4001, 4, { discontinuity: true }], 'F11'],
    ['F11: a date-time before the end of the last', (end) => [end - 5, 4, { discontinuity: true }], 'F11'],
    ['F11: a step ahead without a discontinuity', (end) => [end + 5], 'F11'],
    ['F11: no date-time', () => [NaN], 'F11'],
  ];
  it.each(cases)('%s', async (_, facts, says) => {
    const { storage, place, watch } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await watch.look();
    await rejects(record(archive, factsAt(...facts(endOf(archive)))), 'INVARIANT_BROKEN', says);
    expect((await entriesOf(place)).length).toBe(1);
    await record(archive);
    await watch.look();
    await archive.close();
  });

  it('F11 allows what the clocks may part by: 0.05 % and a millisecond', async () => {
    const { storage, watch } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    let wallMs = START_MS + 0.999;
    for (let i = 0; i < 50; i++) {
      await record(archive, factsAt(wallMs));
      await watch.look();
      wallMs += 4000 * (1 + (i % 2 === 0 ? 0.0005 : -0.0005));
    }
    await archive.close();
  });

  it('wants a life, media, and the order in which segments were opened', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await rejects(record(archive), 'INVARIANT_BROKEN', 'life');
    await archive.beginLife(6);
    await rejects(archive.openSegment().commit(factsAt(START_MS)), 'INVARIANT_BROKEN', 'no media');
    const earlier = archive.openSegment();
    await earlier.write(mediaOf(1));
    await record(archive);
    await rejects(earlier.commit(factsAt(endOf(archive))), 'INVARIANT_BROKEN', 'order');
    await rejects(earlier.commit(factsAt(endOf(archive))), 'CLOSED');
    expect((await entriesOf(place)).length).toBe(1);
    await archive.close();
  });
});

describe('what a commit costs', () => {
  it('is the same after 10 entries and after 20,000, and so is opening to resume', async () => {
    const cost = async (depth: number): Promise<{ commit: unknown; opened: unknown }> => {
      const inner = createMemoryStorage();
      const place = inner.stream('news');
      await place.create();
      const entry = (i: number): string => {
        const n = i + 100_000;
        const time = new Date(START_MS + i * 4000).toISOString();
        return `#EXT-X-PROGRAM-DATE-TIME:${time}\n#EXTINF:4.000000,\n#livetape n=${n} seq=${n} dseq=0 size=188 end=${(i + 1e6) * 188} crc=00000000\n${n}.ts\n`;
      };
      const header =
        '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:100000\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#livetape format=1 life=1\n';
      await place.replaceJournal([header, Array.from({ length: depth }, (_, i) => entry(i)).join('')]);
      const end = START_MS + depth * 4000;
      await place.putCache(
        'index.json',
        JSON.stringify({ next_index: depth + 100_000, segment_count: depth, last_segment_at: new Date(end).toISOString() }),
      );
      const storage = faultyStorage(inner);
      const archive = await open(storage, { retention: true });
      expect(archive.totals.segmentCount).toBe(depth);
      const opened = storage.operations.splice(0);
      const bytesRead = opened.filter(({ name }) => name === 'readJournal').reduce((sum, { bytes }) => sum + bytes, 0);
      expect(bytesRead).toBeLessThanOrEqual(128 * 1024);
      await record(archive);
      await archive.close();
      return { commit: storage.operations, opened: opened.map(({ name }) => name) };
    };
    const few = await cost(10);
    const many = await cost(20_000);
    // next_index and segment_count have more digits
    const withoutDigits = (value: unknown): string =>
      JSON.stringify(value, (key, v: unknown) => (key === 'bytes' ? Math.round(Number(v) / 40) : v));
    expect(withoutDigits(many.commit)).toBe(withoutDigits(few.commit));
    expect(many.opened).toEqual(few.opened);
    expect((few.commit as { name: string }[]).map(({ name }) => name)).toEqual(['put', 'write', 'commit', 'appendJournal', 'putCache']);
  });
});
