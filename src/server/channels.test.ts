/** What is recorded follows the file (docs/design/server.md, C4 and C5; R4 for what is adopted). */
import { expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock, silentLogger, type Closable, type LivetapeError } from '../base/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { openChannels } from './channels.js';
import type { Channels } from './context.js';
import { TestConfig, type TestStream } from './testConfig.js';
import { TestPool } from './testPool.js';

interface Opened {
  readonly channels: Channels & Closable;
  readonly config: TestConfig;
  readonly pool: TestPool;
  readonly clock: ManualClock;
  readonly storage: Storage;
  /** Other roots that were opened. */
  readonly roots: readonly string[];
  /** Kept when nothing is under way but what waits for a timer. */
  readonly quiet: () => Promise<void>;
}

function opened(streams: Readonly<Record<string, TestStream>>, given: { pool?: TestPool; config?: TestConfig } = {}): Opened {
  const { pool = new TestPool(), config = new TestConfig(streams) } = given;
  const [clock, storage] = [new ManualClock(), createMemoryStorage()];
  const roots: string[] = [];
  const openRoot = (path: string): Storage => {
    roots.push(path);
    return createMemoryStorage();
  };
  const channels = openChannels({ config, pool, storage, openRoot, clock, log: silentLogger });
  onTestFinished(() => channels.close());
  return { channels, config, pool, clock, storage, roots, quiet };
}

async function quiet(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

const refusal = (work: Promise<unknown>): Promise<LivetapeError> =>
  work.then(
    () => Promise.reject(new Error('was not refused')),
    (error: unknown) => error as LivetapeError,
  );

const NEWS = { source: 'tcp://h:1' };
const CONFIG = { enabled: true, segmentDuration: 4, retentionSec: 0, maxSizeGb: 0, storagePath: '' };

it('C4: begins what the file asks for: the source first, then the recording', async () => {
  const { pool, channels } = opened({ news: NEWS, off: { source: 'tcp://h:2', dvr: { enabled: false } }, mute: {} });
  await Promise.all(['news', 'off', 'mute'].map((code) => channels.settled(code)));
  expect(pool.calls.filter((call) => call.includes('news'))).toEqual(['connect news tcp://h:1', 'start news']);
  expect(pool.calls.filter((call) => call.includes('mute'))).toEqual(['start mute']);
  expect(pool.calls.filter((call) => call.includes('off'))).toEqual(['setRetention off 0 0']);
  expect(pool.recordingConfig('news')).toEqual(CONFIG);
  expect(await channels.list()).toMatchObject([
    { code: 'mute', source: undefined, error: undefined },
    { code: 'news', source: { url: 'tcp://h:1' }, recording: { recording: { status: 'recording' } } },
    { code: 'off', recording: undefined },
  ]);
});

it('R4: what is recorded as the file says it is left alone; only what differs is changed', async () => {
  const pool = new TestPool();
  pool.adopt('same', CONFIG, 'tcp://h:1');
  pool.adopt('longer', CONFIG, 'tcp://h:2');
  pool.adopt('moved', CONFIG, 'tcp://h:3');
  pool.adopt('elsewhere', CONFIG, 'tcp://h:4');
  pool.adopt('program', CONFIG, 'tcp://h:7?program=1');
  pool.adopt('gone', CONFIG, 'tcp://h:5');
  pool.adopt('off', CONFIG, 'tcp://h:6');
  const { quiet } = opened(
    {
      same: { source: 'tcp://h:1' },
      longer: { source: 'tcp://h:2', dvr: { retention_sec: 60 } },
      moved: { source: 'tcp://h:9' },
      elsewhere: { source: 'tcp://h:4', dvr: { storage_path: '/mnt' } },
      program: { source: 'tcp://h:7?program=2' },
      off: { source: 'tcp://h:6', dvr: { enabled: false, retention_sec: 30 } },
    },
    { pool },
  );
  await quiet();
  expect(pool.calls.filter((call) => call.includes('same'))).toEqual([]);
  expect(pool.calls.filter((call) => call.includes('longer'))).toEqual(['setRetention longer 60 0']);
  expect(pool.calls.filter((call) => call.includes('moved'))).toEqual(['connect moved tcp://h:9']);
  expect(pool.calls.filter((call) => call.includes('elsewhere'))).toEqual(['stop elsewhere', 'start elsewhere']);
  expect(pool.calls.filter((call) => call.includes(' program'))).toEqual([
    'connect program tcp://h:7?program=2',
    'stop program',
    'start program',
  ]);
  expect(pool.calls.filter((call) => call.includes('gone'))).toEqual(['disconnect gone', 'stop gone', 'setRetention gone 0 0']);
  expect(pool.calls.filter((call) => call.includes('off'))).toEqual(['disconnect off', 'stop off', 'setRetention off 30 0']);
});

it('C4: a change does what it must and no more, and other streams notice nothing', async () => {
  const { pool, config, quiet } = opened({ news: NEWS, other: { source: 'tcp://h:2' } });
  await quiet();
  const told = async (dvr: TestStream['dvr'], source = 'tcp://h:1', title = ''): Promise<string[]> => {
    pool.calls.length = 0;
    config.set('news', { source, title, dvr: dvr ?? {} });
    await quiet();
    return [...pool.calls];
  };
  expect(await told({}, 'tcp://h:1', 'The News')).toEqual([]);
  expect(await told({ retention_sec: 60, max_size_gb: 2 })).toEqual(['setRetention news 60 2']);
  expect(await told({ retention_sec: 60, max_size_gb: 2 }, 'tcp://h:7')).toEqual(['connect news tcp://h:7']);
  expect(await told({ segment_duration: 6 }, 'tcp://h:7')).toEqual(['stop news', 'start news']);
  expect(await told({ segment_duration: 6, storage_path: '/mnt' }, 'tcp://h:7')).toEqual(['stop news', 'start news']);
  expect(await told({ segment_duration: 6, storage_path: '/mnt' }, '')).toEqual(['disconnect news']);
  expect(await told({}, 'tcp://h:1')).toEqual(['connect news tcp://h:1', 'stop news', 'start news']);
  expect(await told({}, 'tcp://h:1?program=5')).toEqual(['connect news tcp://h:1?program=5', 'stop news', 'start news']);
  expect(await told({ enabled: false })).toEqual(['disconnect news', 'stop news', 'setRetention news 0 0']);
  pool.calls.length = 0;
  config.set('news', undefined);
  config.set('fresh', NEWS);
  await quiet();
  expect(pool.calls.toSorted()).toEqual(['connect fresh tcp://h:1', 'setRetention news 0 0', 'start fresh']);
});

it('C4: what could not be begun is tried again after 1 s, doubled up to 30 s, and is no other stream’s trouble', async () => {
  const pool = new TestPool();
  pool.fail('start', 'news', 'STREAM_CODE_TAKEN');
  const { channels, clock, quiet, config } = opened({ news: NEWS, other: {} }, { pool });
  expect(await refusal(channels.settled('news'))).toMatchObject({ code: 'STREAM_CODE_TAKEN' });
  await channels.settled('other');
  expect((await channels.get('news'))?.error).toMatchObject({ code: 'STREAM_CODE_TAKEN' });
  const starts = (): number => pool.calls.filter((call) => call === 'start news').length;
  expect(starts()).toBe(1);
  for (const [i, pauseMs] of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].entries()) {
    clock.advance(pauseMs - 1);
    await quiet();
    expect(starts()).toBe(i + 1);
    clock.advance(1);
    await quiet();
    expect(starts()).toBe(i + 2);
  }
  // A change does not wait, and begins with the shortest pause again.
  config.set('news', { source: 'tcp://h:2' });
  await quiet();
  expect(starts()).toBe(9);
  pool.fail('start', 'news');
  clock.advance(1000);
  await quiet();
  expect(pool.isRecording('news')).toBe(true);
  expect((await channels.get('news'))?.error).toBeUndefined();
  expect(pool.calls.filter((call) => call === 'start other')).toEqual(['start other']);
});

it('C4: a source that cannot be connected does not keep the recording from beginning', async () => {
  const pool = new TestPool();
  pool.fail('connect', 'news', 'RECORDER_LOST');
  const { channels, clock, quiet } = opened({ news: NEWS }, { pool });
  expect(await refusal(channels.settled('news'))).toMatchObject({ code: 'RECORDER_LOST' });
  expect(pool.isRecording('news')).toBe(true);
  pool.fail('connect', 'news');
  clock.advance(1000);
  await quiet();
  await channels.settled('news');
  expect(pool.calls).toEqual(['connect news tcp://h:1', 'start news', 'connect news tcp://h:1']);
});

it('C4: changes during a step are seen to after it, the last of them alone', async () => {
  const pool = new TestPool();
  const release = pool.hold('start', 'news');
  const { channels, config, quiet } = opened({ news: NEWS }, { pool });
  await quiet();
  config.set('news', { ...NEWS, dvr: { segment_duration: 5 } });
  config.set('news', { ...NEWS, dvr: { retention_sec: 5 } });
  config.set('news', { ...NEWS, dvr: { retention_sec: 6 } });
  await quiet();
  expect(pool.calls).toEqual(['connect news tcp://h:1', 'start news']);
  release();
  await channels.settled('news');
  expect(pool.calls.slice(2)).toEqual(['setRetention news 6 0']);
});

it('C4: a recording whose end could not be stored is over; one whose recorder was lost is stopped again', async () => {
  const { pool, config, clock, quiet, channels } = opened({ a: NEWS, b: NEWS });
  await quiet();
  pool.fail('stop', 'a', 'DISK_FULL');
  pool.fail('stop', 'b', 'RECORDER_LOST');
  config.set('a', undefined);
  config.set('b', undefined);
  await quiet();
  expect([pool.isRecording('a'), pool.isRecording('b')]).toEqual([false, true]);
  expect(await refusal(channels.settled('b'))).toMatchObject({ code: 'RECORDER_LOST' });
  pool.fail('stop', 'b');
  clock.advance(1000);
  await quiet();
  expect(pool.isRecording('b')).toBe(false);
});

it('begins hundreds of streams side by side, 16 at a time; what hangs gives its place away', async () => {
  const codes = Array.from({ length: 300 }, (_, i) => `s${i}`);
  const pool = new TestPool();
  const releases = codes.slice(0, 20).map((code) => pool.hold('start', code));
  const { channels, clock, quiet } = opened(Object.fromEntries(codes.map((code) => [code, NEWS])), { pool });
  await quiet();
  expect(pool.recordings().length).toBe(0);
  expect(pool.mostAtOnce).toBe(16);
  clock.advance(5000);
  await vi.waitFor(() => expect(pool.recordings().length).toBe(280));
  for (const release of releases) release();
  await Promise.all(codes.map((code) => channels.settled(code)));
  expect(pool.recordings().length).toBe(300);
});

it('C5: start and stop write dvr.enabled, and wait for what it asks for', async () => {
  const { pool, config, channels } = opened({ news: NEWS });
  await channels.settled('news');
  expect(await refusal(channels.start('news'))).toMatchObject({ code: 'ALREADY_RECORDING' });
  expect(await refusal(channels.start('none'))).toMatchObject({ code: 'STREAM_NOT_FOUND' });
  expect(await refusal(channels.stop('none'))).toMatchObject({ code: 'STREAM_NOT_FOUND' });
  await channels.stop('news');
  expect(pool.isRecording('news')).toBe(false);
  expect(await refusal(channels.stop('news'))).toMatchObject({ code: 'NOT_RECORDING' });
  pool.fail('start', 'news', 'DISK_FULL');
  expect(await refusal(channels.start('news'))).toMatchObject({ code: 'DISK_FULL' });
  pool.fail('start', 'news');
  // Turned on already, and not recorded: at once, not at the next try.
  await channels.start('news');
  expect(pool.isRecording('news')).toBe(true);
  expect(config.written.map((line) => line.slice(-5))).toEqual(['lse}}', 'rue}}', 'rue}}']);
  pool.fail('stop', 'news', 'RECORDER_LOST');
  expect(await refusal(channels.stop('news'))).toMatchObject({ code: 'RECORDER_LOST' });
});

it('with no recorders nothing is begun, and what is recorded elsewhere is left alone', async () => {
  const pool = new TestPool();
  pool.adopt('theirs', CONFIG);
  const config = new TestConfig({ news: NEWS }, { recorders: 0 });
  const { channels, quiet } = opened({}, { pool, config });
  await quiet();
  config.set('news', { dvr: { retention_sec: 5 } });
  await channels.settled('news');
  expect(pool.calls).toEqual([]);
  expect(await refusal(channels.start('news'))).toMatchObject({ code: 'RECORDING_DISABLED' });
  expect(config.written).toEqual([]);
});

it('knows streams that only have an archive, and where each lies', async () => {
  const { channels, storage, roots, clock } = opened({ news: NEWS, far: { dvr: { storage_path: '/mnt' } } });
  for (const code of ['old/tape', 'broken', 'deleted', 'new']) await storage.stream(code).create();
  await storage.stream('old/tape').appendJournal('#EXTM3U\n', 0);
  await storage.stream('broken').putCache('index.json', '{}');
  // Deleted: what is left is the number that comes next.
  await storage.stream('deleted').putCache('index.json', '{"format": 1, "segment_count": 0, "next_index": 7, "gaps": []}');
  expect((await channels.list()).map(({ code, config }) => [code, config?.code])).toEqual([
    ['broken', undefined],
    ['far', 'far'],
    ['news', 'news'],
    ['old/tape', undefined],
  ]);
  await storage.stream('new').appendJournal('#EXTM3U\n', 0);
  expect((await channels.list()).length).toBe(4);
  expect(await channels.get('new')).toMatchObject({ code: 'new', config: undefined, recording: undefined, error: undefined });
  clock.advance(5000);
  expect((await channels.list()).length).toBe(5);
  // One that is deleted is gone at once.
  await storage.stream('new').putCache('index.json', '{"format": 1, "segment_count": 0, "next_index": 7, "gaps": []}');
  await storage.stream('new').files.remove('playlist.m3u8');
  channels.relist();
  expect((await channels.list()).length).toBe(4);
  expect([await channels.get('none'), await channels.get('../x'), await channels.get('api')]).toEqual([undefined, undefined, undefined]);
  expect((await channels.get('broken'))?.code).toBe('broken');
  expect(channels.storage('news')).toBe(storage);
  expect(channels.storage('far')).not.toBe(storage);
  expect(channels.storage('far')).toBe(channels.storage('far'));
  expect(roots).toEqual(['/mnt']);
  expect(await channels.place('old/tape')?.journalSize()).toBe(8);
  expect(channels.place('none')?.location).toBe(storage.stream('none').location);
  expect(channels.place('../etc')).toBeUndefined();
});

it('is closed without ending what is recorded, and waits a second at most for what hangs', async () => {
  const pool = new TestPool();
  const release = pool.hold('start', 'hangs');
  pool.fail('start', 'fails', 'DISK_FULL');
  const { channels, clock, quiet, config } = opened({ news: NEWS, hangs: {}, fails: {} }, { pool });
  await quiet();
  let closed = false;
  const closing = channels.close().then(() => (closed = true));
  await quiet();
  expect(closed).toBe(false);
  clock.advance(1000);
  await closing;
  pool.calls.length = 0;
  config.set('other', NEWS);
  release();
  clock.advance(60_000);
  await quiet();
  expect(pool.calls).toEqual([]);
  expect(pool.isRecording('news')).toBe(true);
});

it('E1: connects what others than admins set under the rules of egress.allow, anew when those change; what admins set is left alone', async () => {
  const { pool, channels, config, quiet } = opened({ theirs: { source: 'tcp://h:1', restricted: true }, ours: { source: 'tcp://h:2' } });
  await Promise.all(['theirs', 'ours'].map((code) => channels.settled(code)));
  expect(pool.calls.filter((call) => call.startsWith('connect')).sort()).toEqual([
    'connect ours tcp://h:2',
    'connect theirs tcp://h:1 egress=',
  ]);
  pool.calls.length = 0;
  config.setConfig({ egress: { allow: ['10.0.0.0/8'] } });
  await quiet();
  expect(pool.calls).toEqual(['connect theirs tcp://h:1 egress=10.0.0.0/8']);
  pool.calls.length = 0;
  config.set('theirs', { source: 'tcp://h:1' });
  config.set('ours', { source: 'tcp://h:2', restricted: true });
  await quiet();
  expect(pool.calls.sort()).toEqual(['connect ours tcp://h:2 egress=10.0.0.0/8', 'connect theirs tcp://h:1']);
});
