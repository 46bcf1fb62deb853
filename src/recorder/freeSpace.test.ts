/** R6: one keeper over several recorders, made of their candidates and `pruneFor`; K8: files wait for the playlists that were served. */
import { describe, expect, it } from 'vitest';
import { checkListed, factsAt, record } from '../../test/archiveLab.js';
import { TsBuilder } from '../../test/tsBuilder.js';
import { openArchiveForWriting } from '../archive/index.js';
import { ManualClock, silentLogger } from '../base/index.js';
import { MediaBuffers } from '../buffer/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { FreeSpace, type PruneCandidate, type SpaceUser } from './freeSpace.js';
import { ServedReaches } from './reaches.js';
import { InProcessDvrService } from './service.js';
import { CONFIG, play, settle, testService } from './testService.js';

const builder = new TsBuilder();
builder.stream({ seconds: 120, frameBytes: 400, keyframeBytes: 2000 });
const MEDIA = builder.bytes();
const PACKETS = MEDIA.length / 188;
const piece = (fromSec: number, toSec: number): Uint8Array =>
  MEDIA.subarray(188 * Math.floor((PACKETS * fromSec) / 120), 188 * Math.floor((PACKETS * toSec) / 120));
const MIN_FREE = 800_000;
const MINUTE = 60_000;

/** A recorder as a pool makes them, with two streams under it, all on one disk. */
class Recorder {
  readonly dvr: InProcessDvrService;
  readonly buffers: MediaBuffers;
  readonly pruned = new Map<string, number>();
  /** As the last heartbeat or answer told them. */
  known: PruneCandidate[] = [];
  constructor(storage: Storage, clock: ManualClock, otherRoot = storage) {
    this.buffers = new MediaBuffers({ clock });
    this.dvr = new InProcessDvrService({
      storage,
      buffers: this.buffers,
      clock,
      log: silentLogger,
      minFreeGb: MIN_FREE / 1e9,
      freeSpaceElsewhere: true,
      openRoot: () => otherRoot,
      openFolder: (folder) => storage.stream(folder),
    });
    this.dvr.on('segment.pruned', ({ streamCode, count }) => this.pruned.set(streamCode, (this.pruned.get(streamCode) ?? 0) + count));
  }
  heartbeat(): void {
    this.known = structuredClone(this.dvr.candidates());
  }
  *users(storage: Storage): Iterable<SpaceUser> {
    for (const { code } of this.known) {
      const now = (): PruneCandidate | undefined => this.known.find((candidate) => candidate.code === code);
      yield {
        code,
        storage,
        get startedAtMs() {
          return now()?.startedAtMs;
        },
        get waitingBytes() {
          return now()?.waitingBytes ?? 0;
        },
        get idle() {
          return now()?.idle ?? true;
        },
        prune: async (limits) => {
          const { bytes, candidate } = structuredClone(await this.dvr.pruneFor(code, limits));
          this.known = this.known.flatMap((before) => (before.code === code ? (candidate ?? []) : before));
          return bytes;
        },
      };
    }
  }
}

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

describe('R6: one keeper over several recorders', () => {
  async function run(
    capacityBytes: number,
    keeps: boolean,
  ): Promise<{ recorders: Recorder[]; storage: Storage; others: Map<string, number>; least: number }> {
    const storage = createMemoryStorage({ disk: () => ({ id: 'small', capacityBytes }) });
    const clock = new ManualClock();
    await older(storage, 'aged', clock.nowMs() - 3_600_000, 100, 3760);
    const recorders = [new Recorder(storage, clock), new Recorder(storage, clock)];
    const others = new Map<string, number>();
    const keeper = new FreeSpace({
      clock,
      log: silentLogger,
      minFreeBytes: MIN_FREE,
      users: () => recorders.flatMap((recorder) => [...recorder.users(storage)]),
      openArchive: (root, code) =>
        openArchiveForWriting({ storage: root.stream(code), streamCode: code, retention: true, clock, log: silentLogger }),
      graceMs: () => 0,
      pruned: (code, count) => others.set(code, (others.get(code) ?? 0) + count),
    });
    const codes = ['a', 'b'];
    for (const [i, recorder] of recorders.entries()) {
      await recorder.dvr.startRecording(codes[i]!, '', CONFIG);
      if (keeps) recorder.dvr.on('segment.written', ({ streamCode }) => void keeper.look(storage, streamCode, false));
    }
    let least = Infinity;
    for (let at = 0; at < 120; at += 0.2) {
      for (const [i, recorder] of recorders.entries()) recorder.buffers.open(codes[i]!).write(piece(at, at + 0.2));
      clock.advance(200);
      await settle();
      for (const recorder of recorders) recorder.heartbeat();
      least = Math.min(least, (await storage.disk('a')).freeBytes);
    }
    await keeper.close();
    return { recorders, storage, others, least };
  }

  it('the oldest goes first over all of them, and what nobody records before that', async () => {
    const { recorders, storage, others, least } = await run(MEDIA.length * 1.2, true);
    expect(least).toBeGreaterThan(0);
    expect(others.get('aged')).toBeGreaterThan(90);
    const [a, b] = recorders.map(({ pruned }, i) => pruned.get(['a', 'b'][i]!) ?? 0);
    expect(a).toBeGreaterThan(3);
    expect(Math.abs(a! - b!)).toBeLessThanOrEqual(2);
    for (const [i, { dvr }] of recorders.entries()) {
      const code = ['a', 'b'][i]!;
      expect(dvr.status(code)).toMatchObject({ lastGap: undefined, error: undefined });
      await checkListed(storage.stream(code));
      await dvr.close();
    }
  });

  it('a recorder whose disk is full prunes its own at once, whoever keeps it free', async () => {
    const { recorders, storage, others } = await run(MEDIA.length, false);
    expect(others.size).toBe(0);
    expect(await checkListed(storage.stream('aged'))).toHaveLength(100);
    for (const [i, { dvr, pruned }] of recorders.entries()) {
      const code = ['a', 'b'][i]!;
      // It goes on, each time by a batch.
      expect(pruned.get(code)).toBeGreaterThan(0);
      const entries = await checkListed(storage.stream(code));
      expect(entries.at(-1)!.wallMs! - Date.UTC(2026, 0, 1)).toBeGreaterThan(100_000);
      await dvr.close();
    }
  });

  it('tells which root a stream lies under, and has nothing to prune of one that is not there', async () => {
    const [clock, storage, other] = [new ManualClock(), createMemoryStorage(), createMemoryStorage()];
    const { dvr, buffers } = new Recorder(storage, clock, other);
    await dvr.startRecording('x', '', CONFIG);
    await dvr.startRecording('y', '', { ...CONFIG, storagePath: 'elsewhere' });
    await play({ storage, dvr, buffers, clock, warnings: [] }, buffers.open('x'), piece(0, 10), 10);
    expect(dvr.candidates()).toEqual([
      { code: 'x', storagePath: '', startedAtMs: Date.UTC(2026, 0, 1), waitingBytes: 0, idle: true },
      { code: 'y', storagePath: 'elsewhere', startedAtMs: undefined, waitingBytes: 0, idle: true },
    ]);
    expect(await dvr.pruneFor('z', { freeBytes: 1 })).toEqual({ bytes: 0, candidate: undefined });
    await dvr.close();
  });

  it('passes over a recorder that does not answer, and prunes what others have', async () => {
    const storage = createMemoryStorage({ disk: () => ({ id: 'small', capacityBytes: 0 }) });
    const asked: string[] = [];
    let left = 3;
    const user = (code: string, startedAtMs: number, prune: SpaceUser['prune']): SpaceUser => ({
      code,
      storage,
      startedAtMs,
      waitingBytes: 0,
      idle: true,
      prune: (limits) => {
        asked.push(code);
        return prune(limits);
      },
    });
    const lost = user('a', 1, () => Promise.reject(new Error('the recorder is lost')));
    const there = user('b', 2, async () => (left-- > 0 ? 1 : 0));
    const keeper = new FreeSpace({
      clock: new ManualClock(),
      log: silentLogger,
      minFreeBytes: 100,
      users: () => [lost, there],
      openArchive: undefined,
      graceMs: () => 0,
      pruned: () => undefined,
    });
    await keeper.look(storage, 'a', false);
    expect(asked).toEqual(['a', 'b', 'b', 'b', 'b']);
    await keeper.close();
  });
});

describe('K8: files wait for the playlists that were served', () => {
  it('as long as the longest of the last hour reaches back, and a quarter of an hour at most', () => {
    const clock = new ManualClock();
    const reaches = new ServedReaches(clock);
    expect(reaches.graceMs('x')).toBe(0);
    reaches.served('x', 120_000);
    reaches.served('x', 60_000);
    reaches.served('y', NaN);
    expect([reaches.graceMs('x'), reaches.graceMs('y')]).toEqual([120_000, 0]);
    clock.advance(30 * MINUTE);
    reaches.served('x', 90_000);
    expect(reaches.graceMs('x')).toBe(120_000);
    clock.advance(32 * MINUTE);
    expect(reaches.graceMs('x')).toBe(90_000);
    reaches.served('x', 7 * 86_400_000);
    expect(reaches.graceMs('x')).toBe(15 * MINUTE);
    clock.advance(62 * MINUTE);
    expect(reaches.graceMs('x')).toBe(0);
  });

  it('then they are removed', async () => {
    const service = testService();
    const { clock, storage, dvr } = service;
    await dvr.startRecording('x', '', { ...CONFIG, retentionSec: 20 });
    dvr.served('x', 300_000);
    await play(service, service.buffers.open('x'), piece(0, 60), 60);
    const place = storage.stream('x');
    const files = async (): Promise<string[]> => (await place.list()).filter((name) => name.endsWith('.ts'));
    const listed = (await checkListed(place)).map(({ uri }) => uri);
    const all = await files();
    const waiting = all.filter((name) => !listed.includes(name));
    expect(waiting[0]).toBe('000000.ts');
    expect(waiting.length).toBe(dvr.metrics('x')!.prunedSegments);
    expect(waiting.length).toBeGreaterThan(5);
    // The first went after 20 s and some, and waits for 300 s.
    clock.advance(250_000);
    await settle();
    expect((await files())[0]).toBe('000000.ts');
    clock.advance(51_000);
    await settle();
    expect(await files()).not.toContain(waiting.at(-1));
    expect((await files())[0]).toBe(listed.find((name) => name > waiting.at(-1)!));
    await dvr.close();
  });

  it('oldest first, also where a later prune has a shorter grace: what a crash leaves follows on to what is listed (K11)', async () => {
    const [clock, storage] = [new ManualClock(), createMemoryStorage()];
    const place = storage.stream('x');
    const archive = await openArchiveForWriting({ storage: place, streamCode: 'x', retention: true, clock, log: silentLogger });
    await archive.beginLife(6);
    for (let i = 0; i < 20; i++) await record(archive, factsAt(clock.nowMs() + i * 4000, 4, { pts: undefined, keyframes: [] }), 376);
    expect((await archive.prune({ freeBytes: 1, graceMs: 100_000 })).segmentCount).toBe(1);
    clock.advance(10_000);
    expect((await archive.prune({ freeBytes: 1 })).segmentCount).toBe(1);
    clock.advance(80_000);
    await settle();
    expect((await place.list())[0]).toBe('000000.ts');
    expect(await place.list()).toContain('000001.ts');
    clock.advance(11_000);
    await settle();
    expect((await place.list())[0]).toBe('000002.ts');
    await archive.close();
  });
});
