/** What archives hold and how fast they grow (docs/design/page.md, G12), on real folders. */
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { writeDeepArchive } from '../../test/deepArchive.js';
import { writeGoArchive } from '../../test/goArchive.js';
import { LivetapeError, ManualClock, silentLogger } from '../base/index.js';
import { openPlayback, type Playback, type Timeline } from '../playback/index.js';
import { openFsStorage } from '../storage/index.js';
import { ArchiveGrowth } from './archiveGrowth.js';

/** What test/deepArchive.ts makes of a segment. */
const SEGMENT_BYTES = 376;
const SEGMENT_SEC = 4;
const DAY_SEC = 86_400;

interface Lab {
  readonly root: string;
  readonly clock: ManualClock;
  readonly growth: ArchiveGrowth;
}

async function lab(): Promise<Lab> {
  const root = await mkdtemp(join(tmpdir(), 'livetape-growth-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const clock = new ManualClock();
  const storage = openFsStorage(root, { clock, log: silentLogger });
  const playback = openPlayback({
    ...{ clock, maxCacheBytes: 1e7, place: (code) => storage.stream(code), isKnown: () => true },
    limits: () => ({ liveWindowMs: 12_000, maxWindowMs: 3_600_000 }),
  });
  onTestFinished(() => playback.close());
  return { root, clock, growth: new ArchiveGrowth(playback, clock) };
}

it('G12: the rate is that of the last day, or of what there is, and none where that day has nothing', async () => {
  const { root, clock, growth } = await lab();
  const endMs = clock.nowMs();
  await Promise.all([
    writeDeepArchive(join(root, 'days'), { streamCode: 'days', entries: 40_000, endMs }),
    writeDeepArchive(join(root, 'hour'), { streamCode: 'hour', entries: 900, endMs }),
    writeDeepArchive(join(root, 'past'), { streamCode: 'past', entries: 900, endMs: endMs - (DAY_SEC + 60) * 1000 }),
  ]);
  const found = await growth.of(['days', 'hour', 'past', 'none']);
  const days = found.get('days');
  expect(days?.sizeBytes).toBe(40_000 * SEGMENT_BYTES);
  // forty gaps of 20 s in 45 h: some twenty in the day, whose time counts
  const withoutGaps = SEGMENT_BYTES / SEGMENT_SEC;
  expect(days?.bytesPerSec).toBeLessThan(withoutGaps * (1 - (15 * 20) / DAY_SEC));
  expect(days?.bytesPerSec).toBeGreaterThan(withoutGaps * (1 - (25 * 20) / DAY_SEC));
  expect(found.get('hour')).toEqual({
    sizeBytes: 900 * SEGMENT_BYTES,
    bytesPerSec: (900 * SEGMENT_BYTES) / (900 * SEGMENT_SEC + 40 * 20),
  });
  expect(found.get('past')).toEqual({ sizeBytes: 900 * SEGMENT_BYTES, bytesPerSec: 0 });
  expect(found.get('none')).toEqual({ sizeBytes: 0, bytesPerSec: undefined });
});

it('G12: an archive of another system counts by index.json; one that cannot be read keeps nobody from the others', async () => {
  const { root, clock, growth } = await lab();
  const { numbers } = await writeGoArchive(
    join(root, 'go'),
    { pruned: 0, runs: [{ segments: 30, downSec: 0 }], collides: false },
    clock.nowMs(),
  );
  const sizes = await Promise.all(
    numbers.map(async (number) => (await stat(join(root, 'go', `${String(number).padStart(6, '0')}.ts`))).size),
  );
  const sizeBytes = sizes.reduce((sum, size) => sum + size, 0);
  await mkdir(join(root, 'bad'));
  await writeFile(join(root, 'bad/playlist.m3u8'), '#EXTM3U\n#livetape format=99\n');
  await writeDeepArchive(join(root, 'hour'), { streamCode: 'hour', entries: 90, endMs: clock.nowMs() });
  const found = await growth.of(['bad', 'go', 'hour']);
  expect(found.get('bad')).toEqual({ sizeBytes: 0, bytesPerSec: undefined });
  expect(found.get('go')?.sizeBytes).toBe(sizeBytes);
  expect(Math.abs((found.get('go')?.bytesPerSec ?? 0) - sizeBytes / 60)).toBeLessThan(sizeBytes / 60 / 100);
  expect(found.get('hour')?.sizeBytes).toBe(90 * SEGMENT_BYTES);
});

it('holds for a minute; who asks meanwhile has nothing read, and what is not asked for any more is forgotten', async () => {
  const { root, clock, growth } = await lab();
  const folder = join(root, 'news');
  await writeDeepArchive(folder, { streamCode: 'news', entries: 90, endMs: clock.nowMs() });
  const size = async (): Promise<number | undefined> => (await growth.of(['news'])).get('news')?.sizeBytes;
  expect(await Promise.all([size(), size()])).toEqual([90 * SEGMENT_BYTES, 90 * SEGMENT_BYTES]);
  const playlist = await readFile(join(folder, 'playlist.m3u8'), 'utf8');
  const last = playlist.slice(playlist.lastIndexOf('#EXT-X-PROGRAM-DATE-TIME'));
  await appendFile(
    join(folder, 'playlist.m3u8'),
    last
      .replace(/DATE-TIME:.*/, `DATE-TIME:${new Date(clock.nowMs()).toISOString()}`)
      .replace(/n=89 seq=89/, 'n=90 seq=90')
      .replace(`end=${90 * SEGMENT_BYTES}`, `end=${91 * SEGMENT_BYTES}`)
      .replace('000089.ts', '000090.ts'),
  );
  clock.advance(59_000);
  expect(await size()).toBe(90 * SEGMENT_BYTES);
  clock.advance(1000);
  expect(await size()).toBe(91 * SEGMENT_BYTES);
  await rm(folder, { recursive: true });
  expect(await size()).toBe(91 * SEGMENT_BYTES);
  expect([...(await growth.of([])).keys()]).toEqual([]);
  // a look at a journal holds for a moment (P1)
  clock.advance(1000);
  expect(await size()).toBe(0);
});

it('looks again when an archive is pruned meanwhile, a few times', async () => {
  let failures = 2;
  const entry = { wallMs: 0, sizeBytes: 10, cumulativeBytes: 10 };
  const timeline = {
    ...{ firstSequence: 0, endSequence: 1, endMs: 1000, at: async () => 0 },
    entry: async () => {
      if (failures-- > 0) throw new LivetapeError('WINDOW_EXPIRED', 'pruned');
      return entry;
    },
  } as unknown as Timeline;
  const timelines = { timeline: async () => timeline, stats: { cachedBytes: 0, streams: 0 } };
  const clock = new ManualClock();
  const growth = new ArchiveGrowth({ timelines } as unknown as Playback, clock);
  const news = async (): Promise<unknown> => (await growth.of(['news'])).get('news');
  expect(await news()).toEqual({ sizeBytes: 10, bytesPerSec: 10 });
  failures = Infinity;
  clock.advance(60_000);
  expect(await news()).toEqual({ sizeBytes: 0, bytesPerSec: undefined });
});
