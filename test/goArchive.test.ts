/** Archives of the Go system (docs/design/keeping.md): read as they are, opened to write, gone on with, nothing overwritten. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePlaylist, summarize } from '../src/archive/index.js';
import { ManualClock, silentLogger } from '../src/base/index.js';
import { openPlayback } from '../src/playback/index.js';
import { openFsStorage } from '../src/storage/index.js';
import { writeGoArchive, type GoArchive } from './goArchive.js';
import { playlistOf, segmentsIn, temporaryFolder, waitFor } from './lab.js';
import { PlaylistChecker } from './playlistChecker.js';
import { expectKept, filesOf, startRecorder } from './recoveryLab.js';

const ARCHIVES: Readonly<Record<string, GoArchive>> = {
  'one run': { pruned: 0, runs: [{ segments: 6, downSec: 0 }], collides: false },
  'a pruned head': { pruned: 3, runs: [{ segments: 7, downSec: 0 }], collides: false },
  'a restart after a downtime that is no gap': {
    pruned: 0,
    runs: [
      { segments: 4, downSec: 0 },
      { segments: 3, downSec: 60 },
    ],
    collides: false,
  },
  'a pruned head, and a restart whose numbers collide': {
    pruned: 2,
    runs: [
      { segments: 6, downSec: 0 },
      { segments: 3, downSec: 30 },
    ],
    collides: true,
  },
  'a pruned head without index.json': { pruned: 2, runs: [{ segments: 6, downSec: 0 }], collides: false, noIndex: true },
};

const END_MS = Math.floor(Date.now() / 1000) * 1000 - 600_000;
const clock = new ManualClock(END_MS);

describe.each(Object.entries(ARCHIVES))('an archive of the Go system: %s', (_, kind) => {
  it('is read as it is, and nothing in it is changed by that', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const written = await writeGoArchive(folder, kind, END_MS);
    const before = await filesOf(folder);
    const place = openFsStorage(root, { clock, log: silentLogger }).stream('news');
    const segments = await parsePlaylist(place);
    expect(segments.map(({ index }) => index)).toEqual(written.numbers);
    expect(segments.map(({ wallTime }) => wallTime.getTime())).toEqual(written.startsMs);
    const summary = await summarize(place);
    expect(summary).toMatchObject({
      segmentCount: written.numbers.length,
      life: undefined,
      startedAtMs: written.startsMs[0],
      lastSegmentAtMs: END_MS,
    });
    const after = await filesOf(folder);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [name, bytes] of before) expect(after.get(name)?.equals(bytes), name).toBe(true);
  });

  it('is played: the time when the system was not running is a gap, as its date-times show, whatever index.json says', async () => {
    const root = await temporaryFolder();
    const { startsMs } = await writeGoArchive(join(root, 'news'), kind, END_MS);
    const later = new ManualClock(END_MS + 600_000);
    const place = openFsStorage(root, { clock: later, log: silentLogger }).stream('news');
    const limits = { liveWindowMs: 30_000, maxWindowMs: 86_400_000 };
    await using playback = openPlayback({
      place: () => place,
      isKnown: () => true,
      clock: later,
      maxCacheBytes: 1e6,
      limits: () => limits,
    });
    const [fromMs = 0] = startsMs;
    const down = startsMs.slice(1).flatMap((toMs, i) => {
      const gap = { fromMs: (startsMs[i] ?? NaN) + 2000, toMs, reason: 'signal' };
      return toMs > gap.fromMs ? [gap] : [];
    });
    expect(down).toHaveLength(kind.runs.length - 1);
    const edges = [fromMs, ...down.flatMap((gap) => [gap.fromMs, gap.toMs]), END_MS];
    const ranges = edges.flatMap((edge, i) => (i % 2 === 0 ? [{ fromMs: edge, toMs: edges[i + 1] }] : []));
    expect(await playback.status('news')).toMatchObject({ gaps: down, ranges });
    const window = { kind: 'window', fromMs, durationMs: END_MS - fromMs, gaps: 'mark', skip: false } as const;
    let text = '';
    for await (const chunk of (await playback.playlist('news', window)).body()) text += new TextDecoder().decode(chunk);
    expect(text.includes('#EXT-X-GAP\n')).toBe(down.length > 0);
  });

  it('is gone on with: above every number, after its entries, with nothing of it overwritten', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const written = await writeGoArchive(folder, kind, END_MS);
    const before = await filesOf(folder);
    const recorder = await startRecorder(root, undefined, END_MS + 60_000);
    // Opening changes no file of it; index.json alone is a cache.
    expect(await playlistOf(folder)).toBe(written.playlist);
    expect((await stat(join(folder, 'playlist.m3u8'))).size).toBe(written.playlist.length);
    expect(recorder.healed.some(({ found, done }) => found === 'unlisted_segment' && done === 'left')).toBe(true);
    expectKept(before, await filesOf(folder), ['index.json']);
    await recorder.play(0, 5);
    const checker = new PlaylistChecker();
    await waitFor('a segment of ours', async () => segmentsIn(await playlistOf(folder)) > written.numbers.length);
    const rfc = checker.see((await playlistOf(folder)) ?? '').filter(({ clause }) => clause.startsWith('RFC'));
    expect(rfc).toEqual([]);
    await recorder.dvr.stopRecording('news');
    await recorder.dvr.close();
    const after = await filesOf(folder);
    expectKept(before, after, ['index.json']);
    const text = (await playlistOf(folder)) ?? '';
    const entries = written.playlist.slice(written.playlist.indexOf('EVENT\n') + 'EVENT\n'.length);
    expect(text).toContain(entries);
    expect(text).toContain(`#EXT-X-MEDIA-SEQUENCE:${written.numbers[0]}\n`);
    expect(text).toContain('life=1');
    const ours = [...text.slice(text.indexOf(entries) + entries.length).matchAll(/n=(\d+) seq=(\d+) .*\n(\d{6})\.ts/g)];
    expect(ours.length).toBeGreaterThan(1);
    expect(Number(ours[0]?.[1])).toBeGreaterThan(written.highest);
    expect(ours[0]?.[3]).toBe(ours[0]?.[1]?.padStart(6, '0'));
    expect(Number(ours[0]?.[2])).toBe((written.numbers[0] ?? 0) + written.numbers.length);
    const index = JSON.parse(after.get('index.json')?.toString() ?? '') as { segment_count: number; gaps: { reason: string }[] };
    expect(index.segment_count).toBe(written.numbers.length + ours.length);
    expect(index.gaps.map(({ reason }) => reason)).toEqual([...kind.runs.slice(1).map(() => 'signal'), 'restart']);
    // and once more, by its tail
    const again = await startRecorder(root, undefined, END_MS + 120_000);
    expect(again.healed).toEqual([]);
    await again.dvr.close();
  });
});
