/** `GET /api/v1/system` (docs/design/page.md, G12) on fakes; archiveGrowth.test.ts looks at real archives. */
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import type { Playback, Timeline, TimelineEntry } from '../../playback/index.js';
import type { Disk, Storage } from '../../storage/index.js';
import { openTestApp, type TestApp } from '../testApp.js';
import { recorderStatus, recordingStatus } from '../testStatus.js';

const GB = 1e9;
const HOUR_MS = 3_600_000;

interface DiskAnswer {
  name: string;
  free_bytes: number;
  streams: number;
  archive_bytes: number;
  write_bytes_per_sec: number;
  forecast: string;
  full_at: string | null;
  held_bytes: number | null;
}

interface Answer {
  started_at: string;
  now: string;
  auth: boolean;
  data: string;
  server: { resident_bytes: number; cpu_sec: number; event_loop_delay: Record<string, number> };
  recorders: Record<string, unknown>[];
  disks: DiskAnswer[];
  problems: unknown[];
}

const askedOf = async (test: TestApp): Promise<Answer> => {
  const response = await test.inject('/api/v1/system');
  expect(response.statusCode).toBe(200);
  return response.json<Answer>();
};

/** An archive of two entries that hold `bytes` over so many hours up to now. */
function archive(nowMs: number, hours: number, bytes: number): Timeline {
  const startMs = nowMs - hours * HOUR_MS;
  const entries = [
    { wallMs: startMs, sizeBytes: bytes / 2, cumulativeBytes: 7 + bytes / 2 },
    { wallMs: (startMs + nowMs) / 2, sizeBytes: bytes / 2, cumulativeBytes: 7 + bytes },
  ];
  return {
    ...{ firstSequence: 4, endSequence: 6, startMs, endMs: nowMs },
    at: async () => 4,
    entry: async (sequence: number) => entries[sequence - 4] as TimelineEntry,
  } as Partial<Timeline> as Timeline;
}

/** A server whose streams hold what `archives` says. */
async function opened(
  yaml: string,
  archives: (nowMs: number) => Readonly<Record<string, Timeline>> = () => ({}),
): Promise<TestApp & { looks: string[] }> {
  const looks: string[] = [];
  let found: Readonly<Record<string, Timeline>> = {};
  const timeline = async (code: string): Promise<Timeline> => {
    looks.push(code);
    const one = found[code];
    if (one === undefined) throw new LivetapeError('NOTHING_RECORDED', 'nothing is recorded');
    return one;
  };
  const playback = { timelines: { timeline, stats: { cachedBytes: 0, streams: 0 } } } as unknown as Playback;
  const test = await openTestApp({ yaml, context: { playback } });
  found = archives(test.clock.nowMs());
  return Object.assign(test, { looks });
}

/** As the file system's would be. */
const diskOf = (location: string, disk: Disk | (() => Disk)): Storage =>
  ({ location, disk: async () => (typeof disk === 'function' ? disk() : disk) }) as unknown as Storage;

describe('G12: GET /api/v1/system', () => {
  it('tells of a server that has nothing to do yet: its disk is there, when it is full is not known', async () => {
    await using test = await opened('');
    test.channels.data = diskOf('/srv/dvr', { id: 'a', freeBytes: 10 * GB, totalBytes: 40 * GB });
    test.clock.advance(60_000);
    const answer = await askedOf(test);
    expect(answer).toMatchObject({ version: '1.2.3', node: process.version, auth: false, data: '/srv/dvr', recorders: [], problems: [] });
    expect(Date.parse(answer.now) - Date.parse(answer.started_at)).toBe(60_000);
    expect(answer.server.resident_bytes).toBeGreaterThan(1e6);
    expect(answer.server.cpu_sec).toBeGreaterThan(0);
    expect(Object.keys(answer.server.event_loop_delay)).toEqual(['mean_sec', 'p99_sec', 'max_sec']);
    expect(answer.disks).toEqual([
      {
        name: 'dvr',
        ...{ free_bytes: 10 * GB, total_bytes: 40 * GB, reserved_bytes: 0, streams: 0, archive_bytes: 0, write_bytes_per_sec: 0 },
        ...{ forecast: 'unknown', full_at: null, held_bytes: 0 },
      },
    ]);
  });

  it('tells of recorders, and of what is not well', async () => {
    await using test = await opened('streams: { news: {} }');
    const lost = { ...recorderStatus(1), state: 'lost' as const, pid: undefined, startedAt: undefined };
    test.pool.running = [recorderStatus(0), lost];
    const { recorders, problems } = await askedOf(test);
    expect(recorders).toEqual([
      {
        ...{ index: 0, state: 'running', pid: 4711, started_at: '1970-01-01T00:00:00.000Z', restarts: 0, streams: 1 },
        ...{ resident_bytes: 1e8, cpu_sec: 1, event_loop_delay: { mean_sec: 0.001, p99_sec: 0.002, max_sec: 0.003 } },
      },
      expect.objectContaining({ index: 1, state: 'lost', pid: null, started_at: null }),
    ]);
    expect(problems).toEqual([
      { what: 'recorder', name: '1', code: null, message: 'the recorder is lost' },
      { what: 'stream', name: 'news', code: null, message: 'it is not being recorded' },
    ]);
  });

  it('says when each disk is full, from what its streams record and keep', async () => {
    const yaml = `min_free_gb: 10
streams:
  news: {}
  sport: { dvr: { retention_sec: 86400 } }
  far: { dvr: { storage_path: /mnt/far, max_size_gb: 50 } }
  off: {}
`;
    await using test = await opened(yaml, (nowMs) => ({
      news: archive(nowMs, 20, 72 * GB),
      sport: archive(nowMs, 10, 36 * GB),
      far: archive(nowMs, 10, 18 * GB),
      old: archive(nowMs, 1, 5 * GB),
    }));
    test.channels.archives.set('old', {} as never);
    const data = diskOf('/srv/dvr', { id: 'a', freeBytes: 110 * GB, totalBytes: 400 * GB });
    const far = diskOf('/mnt/far', { id: 'b', freeBytes: 60 * GB, totalBytes: 100 * GB });
    test.channels.data = data;
    test.channels.storage = (code) => (code === 'far' ? far : data);
    for (const code of ['news', 'sport', 'far']) {
      test.pool.statuses.set(code, { ...recordingStatus(code, test.clock.nowMs()), segmentCount: 0, sizeBytes: 0 });
    }
    // its recorder knows better than a look of a minute ago
    const sport = recordingStatus('sport', test.clock.nowMs());
    test.pool.statuses.set('sport', { ...sport, segmentCount: 9, sizeBytes: 40 * GB });
    const { disks } = await askedOf(test);
    // 1 MB/s each; `sport` for 47.75 GB more, `news` for good: 100 GB are full when news has grown by 52.25
    const fullSec = (100 - 86.4 * (65 / 64) + 40) * 1000;
    expect(disks).toEqual([
      {
        name: 'dvr',
        ...{ free_bytes: 110 * GB, total_bytes: 400 * GB, reserved_bytes: 10 * GB, streams: 2 },
        ...{ archive_bytes: 117 * GB, write_bytes_per_sec: 2e6, forecast: 'fills', held_bytes: null },
        full_at: new Date(test.clock.nowMs() + fullSec * 1000).toISOString(),
      },
      {
        name: 'far',
        ...{ free_bytes: 60 * GB, total_bytes: 100 * GB, reserved_bytes: 10 * GB, streams: 1 },
        ...{ archive_bytes: 18 * GB, write_bytes_per_sec: 500_000, forecast: 'holds', held_bytes: 50 * GB, full_at: null },
      },
    ]);
  });

  it('asks disks every 10 s at most, and archives every minute', async () => {
    await using test = await opened('streams: { news: {} }', (nowMs) => ({ news: archive(nowMs, 1, GB) }));
    let asked = 0;
    test.channels.data = diskOf('/srv/dvr', () => ({ id: 'a', freeBytes: 1e12 - asked++, totalBytes: 2e12 }));
    const free = async (): Promise<number | undefined> => (await askedOf(test)).disks[0]?.free_bytes;
    const first = await free();
    expect(await free()).toBe(first);
    for (let seconds = 0; seconds < 50; seconds += 10) {
      test.clock.advance(10_000);
      expect(await free()).toBeLessThan(first ?? 0);
    }
    expect(test.looks).toEqual(['news']);
    test.clock.advance(10_000);
    await free();
    expect(test.looks).toEqual(['news', 'news']);
  });

  it('leaves out a disk that cannot be asked, and tells of it as a problem', async () => {
    await using test = await opened('streams: { news: { dvr: { storage_path: /mnt/far } } }');
    const data = diskOf('/srv/dvr', { id: 'a', freeBytes: GB, totalBytes: 2 * GB });
    const failing = diskOf('/mnt/far', () => {
      throw new LivetapeError('STORAGE_FAILED', 'input/output error');
    });
    test.channels.data = data;
    test.channels.storage = () => failing;
    const { disks, problems } = await askedOf(test);
    expect(disks.map(({ name }) => name)).toEqual(['dvr']);
    expect(problems).toContainEqual({ what: 'disk', name: 'far', code: 'STORAGE_FAILED', message: expect.any(String) as string });
  });

  it('does not know what others record, where it records nothing itself', async () => {
    await using test = await opened('recorders: 0\nstreams: { news: {} }', (nowMs) => ({ news: archive(nowMs, 1, GB) }));
    test.channels.data = diskOf('/srv/dvr', { id: 'a', freeBytes: 100 * GB, totalBytes: 200 * GB });
    const { disks } = await askedOf(test);
    expect(disks).toMatchObject([{ archive_bytes: GB, streams: 0, forecast: 'unknown', full_at: null, held_bytes: null }]);
  });
});
