/** K8 to K12 through the service: by age, by size and by free space, while it records and after; with a clock that is moved by hand. */
import { describe, expect, it } from 'vitest';
import { Watch, checkListed, factsAt, patched, record, rejects } from '../../test/archiveLab.js';
import { TsBuilder } from '../../test/tsBuilder.js';
import { openArchiveForWriting } from '../archive/index.js';
import { ManualClock, silentLogger } from '../base/index.js';
import type { MediaBuffer } from '../buffer/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { CONFIG, play, settle, testService, type TestService } from './testService.js';

const builder = new TsBuilder();
builder.stream({ seconds: 120, frameBytes: 400, keyframeBytes: 2000 });
const MEDIA = builder.bytes();
const PACKETS = MEDIA.length / 188;
const piece = (fromSec: number, toSec: number): Uint8Array =>
  MEDIA.subarray(188 * Math.floor((PACKETS * fromSec) / 120), 188 * Math.floor((PACKETS * toSec) / 120));
const HOUR = 3_600_000;

/** Counts of `segment.pruned`, by stream. */
function prunedBy(service: TestService): Map<string, number> {
  const counts = new Map<string, number>();
  service.dvr.on('segment.pruned', ({ streamCode, count }) => counts.set(streamCode, (counts.get(streamCode) ?? 0) + count));
  return counts;
}

/** Lets time pass without media, a minute at a time: what falls due is done. */
async function pass(service: TestService, ms: number): Promise<void> {
  for (let done = 0; done < ms; done += 60_000) {
    service.clock.advance(60_000);
    await settle();
  }
}

async function filesOf(storage: Storage, code: string): Promise<string[]> {
  return (await storage.stream(code).list()).filter((name) => name.endsWith('.ts'));
}

/** An archive that somebody recorded before: `count` segments of four seconds and `sizeBytes` each, from `fromMs` on. */
async function older(storage: Storage, code: string, fromMs: number, count: number, sizeBytes: number): Promise<void> {
  const clock = new ManualClock(fromMs);
  const archive = await openArchiveForWriting({
    storage: storage.stream(code),
    streamCode: code,
    retention: false,
    clock,
    log: silentLogger,
  });
  await archive.beginLife(6);
  for (let i = 0; i < count; i++) await record(archive, factsAt(fromMs + i * 4000, 4, { pts: undefined, keyframes: [] }), sizeBytes);
  await archive.stop();
  await archive.close();
}

describe('by age', () => {
  it('prunes while it records, and says so', async () => {
    const service = testService();
    const counts = prunedBy(service);
    const watch = new Watch(service.storage.stream('x'));
    await service.dvr.startRecording('x', '', { ...CONFIG, retentionSec: 40 });
    const buffer = service.buffers.open('x');
    for (let at = 0; at < 120; at += 10) {
      await play(service, buffer, piece(at, at + 10), 10);
      await watch.look();
      await checkListed(service.storage.stream('x'));
    }
    const { segmentCount, retention, sizeBytes } = service.dvr.status('x')!;
    expect(segmentCount).toBeGreaterThanOrEqual(10);
    expect(segmentCount).toBeLessThanOrEqual(12);
    expect(retention).toMatchObject({ prunedSegments: counts.get('x'), graceSkipped: 0, failures: 0, clockInDoubt: false });
    expect(retention.prunedSegments).toBeGreaterThanOrEqual(17);
    expect(retention.prunedBytes + sizeBytes).toBeGreaterThan(MEDIA.length * 0.95);
    // Under their grace: less than three target durations and a tick.
    expect((await filesOf(service.storage, 'x')).length - segmentCount).toBeLessThanOrEqual(6);
    await service.dvr.close();
  });

  it('deletes nothing by a clock that is set forward, with media and without, for an hour, and then a day in an hour', async () => {
    const service = testService();
    const counts = prunedBy(service);
    await service.dvr.startRecording('x', '', { ...CONFIG, retentionSec: 3600 });
    const buffer = service.buffers.open('x');
    await play(service, buffer, piece(0, 60), 60);
    service.clock.stepWall(3 * 24 * HOUR);
    await play(service, buffer, piece(60, 120), 60);
    expect(service.dvr.status('x')!.retention.clockInDoubt).toBe(true);
    await pass(service, 50 * 60_000);
    expect(counts.size).toBe(0);
    await pass(service, 2 * HOUR);
    expect(service.dvr.status('x')!.retention.clockInDoubt).toBe(true);
    await pass(service, 3 * HOUR);
    expect(service.dvr.status('x')!.retention.clockInDoubt).toBe(false);
    expect(service.warnings.filter((text) => text.includes('the clock has stepped'))).toHaveLength(1);
    expect(counts.get('x')).toBeGreaterThan(10);
    await checkListed(service.storage.stream('x'));
    await service.dvr.close();
  });

  it('says so once when recorded time is ahead of the clock', async () => {
    const storage = createMemoryStorage();
    const clock = new ManualClock();
    await older(storage, 'x', clock.nowMs() + 365 * 24 * HOUR, 100, 376);
    const service = testService(storage, clock);
    const counts = prunedBy(service);
    await service.dvr.startRecording('x', '', { ...CONFIG, retentionSec: 3600 });
    await play(service, service.buffers.open('x'), piece(0, 60), 60);
    await pass(service, 3 * HOUR);
    expect(service.dvr.status('x')!.retention.clockInDoubt).toBe(true);
    expect(service.warnings.filter((text) => text.includes('recorded time is ahead of the clock'))).toHaveLength(1);
    expect(counts.size).toBe(0);
    await service.dvr.close();
  });

  it('deletes nothing by a clock that is wrong after a restart', async () => {
    const storage = createMemoryStorage();
    const clock = new ManualClock();
    await older(storage, 'x', clock.nowMs() - 400_000, 100, 376);
    clock.stepWall(365 * 24 * HOUR);
    const service = testService(storage, clock);
    const counts = prunedBy(service);
    await service.dvr.startRecording('x', '', { ...CONFIG, retentionSec: 3600 });
    await play(service, service.buffers.open('x'), piece(0, 60), 60);
    clock.stepWall(-365 * 24 * HOUR);
    await pass(service, 50 * 60_000);
    expect(counts.size).toBe(0);
    await service.dvr.close();
  });

  it('prunes what was stopped, down to its newest segment, and lets it be recorded again', async () => {
    const service = testService();
    const place = service.storage.stream('x');
    const watch = new Watch(place);
    const config = { ...CONFIG, retentionSec: 600 };
    await service.dvr.startRecording('x', '', config);
    await play(service, service.buffers.open('x'), piece(0, 60), 60);
    await service.dvr.stopRecording('x');
    await watch.look();
    await pass(service, 500_000);
    const before = await filesOf(service.storage, 'x');
    expect(before.length).toBeGreaterThanOrEqual(15);
    expect(before).toEqual((await checkListed(place)).map((entry) => entry.uri));
    await pass(service, HOUR);
    await watch.look();
    expect(await checkListed(place)).toHaveLength(1);
    expect(await filesOf(service.storage, 'x')).toHaveLength(1);
    await service.dvr.startRecording('x', '', config);
    await play(service, service.buffers.open('x'), piece(60, 90), 30);
    await watch.look();
    await service.dvr.close();
    expect((await checkListed(place)).length).toBeGreaterThan(5);
  });
});

describe('of what is not being recorded', () => {
  it('goes on after a start that failed', async () => {
    const service = testService();
    const config = { ...CONFIG, retentionSec: 600 };
    await service.dvr.startRecording('x', '', config);
    await play(service, service.buffers.open('x'), piece(0, 60), 60);
    await service.dvr.stopRecording('x');
    const other = await service.storage.stream('x').own();
    await rejects(service.dvr.startRecording('x', '', config), 'STREAM_OWNED');
    await pass(service, HOUR);
    expect((await checkListed(service.storage.stream('x'))).length).toBeGreaterThan(10);
    await other.release();
    await pass(service, HOUR);
    expect(await checkListed(service.storage.stream('x'))).toHaveLength(1);
    await service.dvr.startRecording('x', '', config);
    await service.dvr.close();
  });

  it('is seen to once it is asked for, and what was healed on the way is told of', async () => {
    const storage = createMemoryStorage();
    const clock = new ManualClock();
    await older(storage, 'x', clock.nowMs() - 1000_000, 100, 376);
    const service = testService(storage, clock);
    const counts = prunedBy(service);
    const healed: string[] = [];
    service.dvr.on('archive.healed', ({ streamCode }) => healed.push(streamCode));
    const place = storage.stream('x');
    await place.remove('000099.ts');
    await service.dvr.setRetention('x', { retentionSec: 0, maxSizeGb: 3760 / 1e9 });
    await pass(service, 60_000);
    expect(counts.get('x')).toBeGreaterThanOrEqual(90);
    expect(healed).toContain('x');
    await service.dvr.startRecording('x', '', CONFIG);
    await service.dvr.close();
    await rejects(service.dvr.setRetention('x', { retentionSec: 0, maxSizeGb: 1 }), 'CLOSED');
  });
});

describe('by size', () => {
  it('holds the limit, also one that is set while it records', async () => {
    const service = testService();
    const place = service.storage.stream('x');
    const watch = new Watch(place);
    await service.dvr.startRecording('x', '', CONFIG);
    const buffer = service.buffers.open('x');
    await play(service, buffer, piece(0, 60), 60);
    expect(await watch.look()).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    const maxSizeGb = MEDIA.length / 3 / 1e9;
    await service.dvr.setRetention('x', { retentionSec: 0, maxSizeGb });
    await settle();
    await watch.look();
    for (let at = 60; at < 120; at += 10) {
      await play(service, buffer, piece(at, at + 10), 10);
      expect(service.dvr.status('x')!.sizeBytes).toBeLessThanOrEqual(maxSizeGb * 1e9);
      await watch.look();
    }
    // The recording was not interrupted: no gap.
    expect(service.dvr.status('x')!.lastGap).toBeUndefined();
    expect((await checkListed(place)).filter((entry) => entry.discontinuity)).toEqual([]);
    await rejects(service.dvr.setRetention('y', { retentionSec: 0, maxSizeGb: 1 }), 'STREAM_NOT_FOUND');
    await rejects(service.dvr.setRetention('x', { retentionSec: -1, maxSizeGb: 1 }), 'CONFIG_INVALID', 'retention.retentionSec');
    await service.dvr.close();
  });
});

describe('by free space', () => {
  /** Streams a… on one small disk, z… on a large one. */
  const disks = (capacityBytes: number): Storage =>
    createMemoryStorage({
      disk: (code) => (code.startsWith('z') ? { id: 'large', capacityBytes: 1e12 } : { id: 'small', capacityBytes }),
    });
  /** Three segments of each. */
  const MIN_FREE = 800_000;

  async function playAll(service: TestService, buffers: readonly MediaBuffer[], fromSec: number, toSec: number): Promise<void> {
    const chunk = 0.2;
    for (let at = fromSec; at < toSec; at += chunk) {
      for (const buffer of buffers) buffer.write(piece(at, at + chunk));
      service.clock.advance(chunk * 1000);
      await settle();
    }
  }

  it('prunes the oldest of all streams on the disk, and leaves other disks alone', async () => {
    const storage = disks(MEDIA.length * 1.2);
    const service = testService(storage, new ManualClock(), MIN_FREE / 1e9);
    const counts = prunedBy(service);
    for (const code of ['a', 'b', 'z']) await service.dvr.startRecording(code, '', CONFIG);
    const buffers = ['a', 'b', 'z'].map((code) => service.buffers.open(code));
    let least = Infinity;
    for (let at = 0; at < 120; at += 10) {
      await playAll(service, buffers, at, at + 10);
      least = Math.min(least, (await storage.disk('a')).freeBytes);
    }
    expect(least).toBeGreaterThan(0);
    expect(counts.get('a')).toBeGreaterThan(3);
    expect(counts.get('b')).toBeGreaterThan(3);
    expect(Math.abs(counts.get('a')! - counts.get('b')!)).toBeLessThanOrEqual(2);
    expect(counts.has('z')).toBe(false);
    for (const code of ['a', 'b', 'z']) {
      expect(service.dvr.status(code)).toMatchObject({ lastGap: undefined, error: undefined });
      expect(service.dvr.status(code)!.session!.droppedBytes).toBe(0);
      await checkListed(storage.stream(code));
    }
    await service.dvr.close();
  });

  it('begins with streams that nobody records, as far as they are older, and passes over what another writes', async () => {
    const storage = disks(MEDIA.length * 0.9);
    const startMs = Date.UTC(2026, 0, 1);
    await older(storage, 'aged', startMs - HOUR, 100, 3760);
    await older(storage, 'aowned', startMs - 2 * HOUR, 20, 376);
    const owned = await storage.stream('aowned').own();
    const service = testService(storage, new ManualClock(startMs), MIN_FREE / 1e9);
    const counts = prunedBy(service);
    await service.dvr.startRecording('a', '', CONFIG);
    await playAll(service, [service.buffers.open('a')], 0, 110);
    expect(counts.has('aowned')).toBe(false);
    expect(await checkListed(storage.stream('aowned'))).toHaveLength(20);
    expect(counts.get('aged')).toBeGreaterThan(0);
    if (counts.get('a') !== undefined) expect(await checkListed(storage.stream('aged'))).toHaveLength(1);
    await checkListed(storage.stream('aged'));
    // What was opened for the prune alone is let go of again.
    await service.dvr.startRecording('aged', '', CONFIG);
    await owned.release();
    await service.dvr.close();
    await checkListed(storage.stream('a'));
  });

  it('warns of a stream that it cannot prune, and tries it again after a minute', async () => {
    const storage = disks(MEDIA.length * 0.5);
    const startMs = Date.UTC(2026, 0, 1);
    await older(storage, 'abad', startMs - HOUR, 20, 376);
    await older(storage, 'aowned', startMs - 2 * HOUR, 20, 376);
    await storage.stream('aowned').own();
    let tries = 0;
    const failing: Storage = {
      ...storage,
      list: () => storage.list(),
      disk: (code) => storage.disk(code),
      stream: (code) => {
        if (code !== 'abad') return storage.stream(code);
        const own = (): Promise<never> => Promise.reject(new Error(`no ${++tries}`));
        return patched(storage.stream(code), { own });
      },
    };
    const service = testService(failing, new ManualClock(startMs), MIN_FREE / 1e9);
    await service.dvr.startRecording('a', '', CONFIG);
    await playAll(service, [service.buffers.open('a')], 0, 60);
    expect(tries).toBe(1);
    await playAll(service, [service.buffers.open('a')], 60, 118);
    expect(tries).toBe(2);
    expect(service.dvr.status('a')!.retention.prunedSegments).toBeGreaterThan(3);
    expect(service.warnings.filter((text) => text.includes('could not be pruned'))).toHaveLength(2);
    await service.dvr.close();
  });

  it('frees space at once, without the grace, when a segment could not be stored', async () => {
    let capacityBytes = MEDIA.length * 10;
    const storage = createMemoryStorage({ disk: () => ({ id: 'small', capacityBytes }) });
    const service = testService(storage, new ManualClock(), MIN_FREE / 1e9);
    await service.dvr.startRecording('a', '', CONFIG);
    const buffer = service.buffers.open('a');
    await playAll(service, [buffer], 0, 60);
    expect(service.dvr.status('a')!.retention.prunedSegments).toBe(0);
    // Somebody else fills the disk.
    capacityBytes = MEDIA.length / 2 - 10_000;
    await playAll(service, [buffer], 60, 90);
    const { retention, recording } = service.dvr.status('a')!;
    expect(retention.graceSkipped).toBeGreaterThan(0);
    expect(recording.status).toBe('recording');
    expect((await storage.disk('a')).freeBytes).toBeGreaterThan(0);
    const entries = await checkListed(storage.stream('a'));
    expect(entries.at(-1)!.wallMs! - Date.UTC(2026, 0, 1)).toBeGreaterThan(80_000);
    await service.dvr.close();
  });

  it('without it the disk fills, what comes is a gap, and nothing is deleted', async () => {
    const storage = createMemoryStorage({ disk: () => ({ id: 'small', capacityBytes: MEDIA.length / 2 }) });
    const service = testService(storage);
    const counts = prunedBy(service);
    await service.dvr.startRecording('a', '', CONFIG);
    await playAll(service, [service.buffers.open('a')], 0, 100);
    expect(service.dvr.status('a')).toMatchObject({ recording: { status: 'failed' }, error: { code: 'DISK_FULL' } });
    expect(counts.size).toBe(0);
    expect((await checkListed(storage.stream('a'))).length).toBeGreaterThan(10);
    await service.dvr.close();
  });

  it('is refused where it is no number of gigabytes', () => {
    expect(() => testService(createMemoryStorage(), new ManualClock(), -1)).toThrow(/minFreeGb/);
    expect(() => testService(createMemoryStorage(), new ManualClock(), NaN)).toThrow(/minFreeGb/);
  });
});
