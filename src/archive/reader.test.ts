/** Reading an archive: ours, the Go system's, damaged ones, and one that is replaced at that moment. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START_MS, factsAt, open, patched, record } from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { isLivetapeError } from '../base/index.js';
import { createMemoryStorage, type StreamStorage } from '../storage/index.js';
import { parseIndex, renderIndex } from './archiveIndex.js';
import { loadIndex, parsePlaylist, summarize } from './index.js';

async function place(playlist?: string, index?: string): Promise<StreamStorage> {
  const made = createMemoryStorage().stream('news');
  await made.create();
  if (playlist !== undefined) await made.replaceJournal([playlist]);
  if (index !== undefined) await made.putCache('index.json', index);
  return made;
}

const HEADER = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n';

describe('an archive of ours', () => {
  it('is told by index, playlist and summary alike', async () => {
    const storage = createMemoryStorage();
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive, factsAt(START_MS, 4));
    const gap = { fromMs: START_MS + 4000, toMs: START_MS + 24_000, reason: 'signal' as const };
    await record(archive, factsAt(START_MS + 24_000, 3.2, { discontinuity: true, gap }));
    await archive.stop();
    await archive.close();
    const news = storage.stream('news');
    expect(await parsePlaylist(news)).toEqual([
      { index: 0, wallTime: new Date(START_MS), duration: 4, discontinuity: false, uri: '000000.ts', sizeBytes: 376 },
      { index: 1, wallTime: new Date(START_MS + 24_000), duration: 3.2, discontinuity: true, uri: '000001.ts', sizeBytes: 376 },
    ]);
    expect(await loadIndex(news)).toEqual({
      format: 1,
      streamCode: 'news',
      status: 'stopped',
      startedAt: new Date(START_MS),
      lastSegmentAt: new Date(START_MS + 27_200),
      segmentCount: 2,
      totalSizeBytes: 752,
      nextIndex: 2,
      epoch: 1,
      gaps: [{ from: new Date(gap.fromMs), to: new Date(gap.toMs), duration: 20, reason: 'signal' }],
    });
    expect(await summarize(news)).toEqual({
      type: 'VOD',
      ended: true,
      life: 1,
      targetDurationSec: 6,
      segmentCount: 2,
      sizeBytes: 752,
      durationSec: 7.2,
      startedAtMs: START_MS,
      lastSegmentAtMs: START_MS + 27_200,
      discontinuities: 1,
      gapCount: 1,
      gaps: [gap],
      tornBytes: 0,
    });
  });

  it('is not there: no index, and STREAM_NOT_FOUND', async () => {
    const none = await place();
    expect(await loadIndex(none)).toBeUndefined();
    await expect(parsePlaylist(none)).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
    await expect(summarize(none)).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
  });

  it('is read while an entry is being written: what is torn is no entry, and stays as it is (F6)', async () => {
    const text = `${HEADER}#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:4,\na.ts\n#EXTINF:4,\nb.t`;
    const torn = await place(text);
    expect((await parsePlaylist(torn)).map(({ uri }) => uri)).toEqual(['a.ts']);
    expect((await summarize(torn)).tornBytes).toBe('#EXTINF:4,\nb.t'.length);
    expect(await torn.journalSize()).toBe(text.length);
  });

  it('is read block by block', async () => {
    const entries = Array.from(
      { length: 30_000 },
      (_, i) => `#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS + i * 4000).toISOString()}\n#EXTINF:4.000000,\n${i}.ts\n`,
    );
    const inner = createMemoryStorage();
    const storage = faultyStorage(inner);
    const long = storage.stream('news');
    await long.create();
    await long.replaceJournal([HEADER, ...entries]);
    storage.operations.length = 0;
    expect(await summarize(long)).toMatchObject({ segmentCount: 30_000, durationSec: 120_000, lastSegmentAtMs: START_MS + 30_000 * 4000 });
    expect(Math.max(...storage.operations.map(({ bytes }) => bytes))).toBeLessThanOrEqual(256 * 1024);
    const segments = await parsePlaylist(long);
    expect(segments).toHaveLength(30_000);
    expect(segments.every((segment, i) => segment.index === i && segment.wallTime.getTime() === START_MS + i * 4000)).toBe(true);
  });

  it('is read anew when it is replaced meanwhile', async () => {
    const entry = (i: number): string =>
      `#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS + i * 4000).toISOString()}\n#EXTINF:4.000000,\n${i}.ts\n`;
    const all = Array.from({ length: 10_000 }, (_, i) => entry(i));
    const own = (first: number): string => `${HEADER}#EXT-X-MEDIA-SEQUENCE:${first}\n#livetape format=1 life=1\n`;
    const inner = await place(own(0) + all.join(''));
    let reads = 0;
    const moving = patched(inner, {
      async readJournal(from, to) {
        // Pruned between two blocks: every offset moves.
        if (++reads === 3) await inner.replaceJournal([own(5001), all.slice(5001).join('')]);
        return inner.readJournal(from, to);
      },
    });
    const segments = await parsePlaylist(moving);
    expect(segments.map(({ index }) => index)).toEqual(Array.from({ length: 4999 }, (_, i) => 5001 + i));
  });
});

describe("an archive of the Go system's", () => {
  it('has its times accumulated from the last that was given', async () => {
    const go = await place(
      `${HEADER}#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:4.000,\n000005.ts\n#EXTINF:3.500,\n000006.ts\n` +
        '#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T01:00:00Z\n#EXTINF:4.000,\n000009.ts\n#EXTINF:4.000,\n000010.ts\n',
      '{"stream_code":"news","started_at":"2026-01-01T00:00:00.123456789Z","last_segment_at":"0001-01-01T00:00:00Z","segment_count":4,"total_size_bytes":99,"gaps":[{"from":"2026-01-01T00:00:07.6Z","to":"2026-01-01T01:00:00Z","duration":3592400000000}]}',
    );
    const hour = START_MS + 3_600_000;
    expect((await parsePlaylist(go)).map(({ index, wallTime, sizeBytes }) => [index, wallTime.getTime(), sizeBytes])).toEqual([
      [5, START_MS + 123, undefined],
      [6, START_MS + 4123, undefined],
      [9, hour, undefined],
      [10, hour + 4000, undefined],
    ]);
    expect(await loadIndex(go)).toMatchObject({
      format: undefined,
      status: undefined,
      nextIndex: undefined,
      lastSegmentAt: undefined,
      segmentCount: 4,
    });
    expect((await loadIndex(go))!.gaps[0]).toMatchObject({ duration: 3592.4, reason: undefined });
  });

  it('cannot be placed in time when nothing gives one', async () => {
    await expect(parsePlaylist(await place(`${HEADER}#EXTINF:4,\na.ts\n`))).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
  });
});

describe('damage', () => {
  it('is said with a line, and never changed', async () => {
    const text = `${HEADER}#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:4,\na.ts\n#EXTINF:four,\nb.ts\n`;
    const broken = await place(text);
    await expect(parsePlaylist(broken)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', context: { line: 7 } });
    await expect(summarize(broken)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT', context: { line: 7 } });
    expect(await broken.journalSize()).toBe(text.length);
    for (const [playlist, code] of [
      ['', 'ARCHIVE_CORRUPT'],
      ['\0'.repeat(100), 'ARCHIVE_CORRUPT'],
      [`${HEADER}#livetape format=2 life=1\n`, 'ARCHIVE_FORMAT_NEWER'],
    ]) {
      await expect(parsePlaylist(await place(playlist))).rejects.toMatchObject({ code });
    }
  });

  it.each([
    ['', 'ARCHIVE_CORRUPT'],
    ['[]', 'ARCHIVE_CORRUPT'],
    ['null', 'ARCHIVE_CORRUPT'],
    ['{"format": 2}', 'ARCHIVE_FORMAT_NEWER'],
    ['{"format": "1"}', 'ARCHIVE_CORRUPT'],
    ['{"segment_count": -1}', 'ARCHIVE_CORRUPT'],
    ['{"started_at": "yesterday"}', 'ARCHIVE_CORRUPT'],
    ['{"gaps": {}}', 'ARCHIVE_CORRUPT'],
    ['{"gaps": [{"from": "2026-01-01T00:00:00Z"}]}', 'ARCHIVE_CORRUPT'],
  ])('index.json %j: %s', async (text, code) => {
    await expect(loadIndex(await place(undefined, text))).rejects.toMatchObject({ code });
  });

  it('of index.json never throws anything but a LivetapeError (fuzz), and what was rendered is read back', () => {
    const key = fc.constantFrom('format', 'stream_code', 'status', 'started_at', 'segment_count', 'gaps', 'next_index');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.dictionary(key, fc.jsonValue()).map((value) => JSON.stringify(value)),
        ),
        (text) => {
          try {
            parseIndex(text);
          } catch (error) {
            expect(isLivetapeError(error), String(error)).toBe(true);
          }
        },
      ),
    );
    const gaps = Array.from({ length: 1500 }, (_, i) => ({ fromMs: i * 10_000, toMs: i * 10_000 + 5000, reason: 'signal' as const }));
    const index = parseIndex(
      renderIndex({
        streamCode: 'a/b',
        status: 'recording',
        startedAtMs: undefined,
        lastSegmentAtMs: undefined,
        segmentCount: 0,
        sizeBytes: 0,
        nextIndex: 7,
        epoch: 3,
        gaps,
      }),
    );
    expect(index).toMatchObject({ streamCode: 'a/b', startedAt: undefined, nextIndex: 7, epoch: 3 });
    expect(index.gaps).toHaveLength(1000);
    expect(index.gaps.at(-1)!.to.getTime()).toBe(1499 * 10_000 + 5000);
  });
});
